package io.grpcstream.libp2p.mux.yamux;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.local.LocalAddress;
import io.netty.channel.local.LocalChannel;
import io.netty.channel.local.LocalIoHandler;
import io.netty.channel.local.LocalServerChannel;
import java.net.SocketAddress;

/**
 * Two sessions in one process on one event loop, where a flush of one side may run the other side,
 * and come back, before it returns.
 */
class OverMemoryTest extends RealLoopContract {
  OverMemoryTest() {
    super(new MultiThreadIoEventLoopGroup(1, LocalIoHandler.newFactory()));
  }

  @Override
  ServerBootstrap server() {
    return new ServerBootstrap().channel(LocalServerChannel.class);
  }

  @Override
  Bootstrap client() {
    return new Bootstrap().channel(LocalChannel.class);
  }

  @Override
  SocketAddress anyAddress() {
    return new LocalAddress(OverMemoryTest.class);
  }
}
