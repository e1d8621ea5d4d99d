package io.grpcstream.netty;

import io.grpc.ManagedChannelBuilder;
import io.grpc.ServerBuilder;
import io.grpc.netty.InternalNettyChannelBuilder;
import io.grpc.netty.InternalNettyServerBuilder;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;

/** Turns gRPC's own census statistics off, for tests that bring theirs. */
public final class GrpcStats {
  private GrpcStats() {}

  /** Of a server. */
  public static void off(ServerBuilder<?> server) {
    InternalNettyServerBuilder.setStatsEnabled((NettyServerBuilder) server, false);
  }

  /** Of a channel over a stream. */
  public static void off(ManagedChannelBuilder<?> channel) {
    InternalNettyChannelBuilder.setStatsEnabled(
        (NettyChannelBuilder) ((OneStreamChannelBuilder) channel).delegate(), false);
  }
}
