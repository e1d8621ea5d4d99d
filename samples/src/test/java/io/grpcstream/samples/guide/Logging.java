package io.grpcstream.samples.guide;

import io.grpc.BindableService;
import io.grpcstream.GrpcStream;
import org.slf4j.bridge.SLF4JBridgeHandler;

final class Logging {
  private Logging() {}

  // guide: logging/bridge
  static void logGrpcBySlf4j() { // first of all in main
    SLF4JBridgeHandler.removeHandlersForRootLogger();
    SLF4JBridgeHandler.install();
  }

  // end

  // guide: logging/mdc
  static GrpcStream logged(BindableService service) {
    return GrpcStream.builder().addService(service).mdc().build();
  }
  // end
}
