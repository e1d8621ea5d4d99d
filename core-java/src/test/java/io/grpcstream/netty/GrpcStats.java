package io.grpcstream.netty;

import io.grpc.ManagedChannelBuilder;
import io.grpc.ServerBuilder;
import io.grpc.internal.ManagedChannelImplBuilder;
import io.grpc.netty.InternalNettyChannelBuilder;
import io.grpc.netty.InternalNettyServerBuilder;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;

/** Turns off the statistics that gRPC collects by itself, if it finds a library for that. */
public final class GrpcStats {
  private GrpcStats() {}

  /** Of a server. */
  public static void off(ServerBuilder<?> server) {
    InternalNettyServerBuilder.setStatsEnabled((NettyServerBuilder) server, false);
  }

  /** Of a channel over a stream, or to peers. */
  public static void off(ManagedChannelBuilder<?> channel) {
    if (channel instanceof OneStreamChannelBuilder oneStream) {
      InternalNettyChannelBuilder.setStatsEnabled(
          (NettyChannelBuilder) oneStream.delegate(), false);
    } else {
      ((ManagedChannelImplBuilder) ((ManagedPeerChannelBuilder) channel).delegate())
          .setStatsEnabled(false);
    }
  }
}
