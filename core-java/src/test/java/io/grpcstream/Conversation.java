package io.grpcstream;

import io.grpc.ManagedChannel;
import io.grpcstream.libp2p.Host;
import java.util.function.Function;

/** A call from host to host, by the copy of the library that this class was loaded with. */
public final class Conversation implements Function<String, String> {
  @Override
  public String apply(String request) {
    try (Hosts hosts = new Hosts();
        GrpcStream server = GrpcStream.builder().addService(Echo.service()).build().serve()) {
      Host listener = hosts.start(Hosts.MEMORY);
      Host opener = hosts.start(Hosts.MEMORY);
      ManagedChannel channel =
          GrpcStream.wrapClient(Hosts.open(opener, listener, server.handler()));
      return Echo.unary(channel, request);
    }
  }
}
