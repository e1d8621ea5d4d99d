/** GrpcStream and its libp2p host for coroutines. */
module io.grpcstream.kotlin {
  exports io.grpcstream.kotlin;

  // Of these there are types in the API.
  requires transitive io.grpcstream.core;
  requires transitive kotlin.stdlib;
  requires transitive kotlinx.coroutines.core;

  requires com.google.common;
  requires com.google.protobuf;
  requires grpc.kotlin.stub;
  requires io.grpc.protobuf;
  requires io.grpc.stub;
  requires io.netty.buffer;
  requires org.slf4j;
  requires proto.google.common.protos;
}
