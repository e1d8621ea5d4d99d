/** Traces and metrics of GrpcStream's calls and hosts, by OpenTelemetry. */
module io.grpcstream.opentelemetry {
  exports io.grpcstream.opentelemetry;

  // Of these there are types in the API.
  requires transitive io.grpc;
  requires transitive io.grpc.opentelemetry;
  requires transitive io.grpcstream.core;
  requires transitive io.opentelemetry.api;
  requires static transitive org.jspecify;

  requires io.opentelemetry.context;
}
