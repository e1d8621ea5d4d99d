/** Two peers and one call, from the module path. */
module io.grpcstream.samples.modular {
  requires io.grpc.services;
  requires io.grpcstream.core;
}
