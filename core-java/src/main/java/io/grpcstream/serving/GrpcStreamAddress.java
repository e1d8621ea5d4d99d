package io.grpcstream.serving;

import java.net.SocketAddress;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * What a {@code GrpcStream} gives as its address. It names the object within its process, in logs
 * and to gRPC; peers reach it at the addresses of the hosts that use its handler.
 */
public final class GrpcStreamAddress extends SocketAddress {
  private static final long serialVersionUID = 1L;
  private static final AtomicInteger COUNT = new AtomicInteger();

  private final int number = COUNT.incrementAndGet();

  @Override
  public String toString() {
    return "grpcstream-" + number;
  }
}
