package io.grpcstream.libp2p.mux.yamux;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;

/** Two sessions over TCP, each on an event loop of its own. */
class OverTcpTest extends RealLoopContract {
  OverTcpTest() {
    super(new MultiThreadIoEventLoopGroup(2, NioIoHandler.newFactory()));
  }

  @Override
  ServerBootstrap server() {
    return new ServerBootstrap().channel(NioServerSocketChannel.class);
  }

  @Override
  Bootstrap client() {
    return new Bootstrap().channel(NioSocketChannel.class);
  }

  @Override
  SocketAddress anyAddress() {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
  }
}
