package io.grpcstream.netty;

import io.grpc.ManagedChannelBuilder;
import io.grpc.ServerBuilder;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;

/** Fixes HTTP/2 windows, for tests: they do not grow then. */
public final class GrpcWindows {
  private GrpcWindows() {}

  /** The window in which clients of a server may send. */
  public static void fix(ServerBuilder<?> server, int bytes) {
    ((NettyServerBuilder) server).flowControlWindow(bytes);
  }

  /** The window in which the server of a channel may send. */
  public static void fix(ManagedChannelBuilder<?> channel, int bytes) {
    ((NettyChannelBuilder) ((OneStreamChannelBuilder) channel).delegate()).flowControlWindow(bytes);
  }
}
