package io.grpcstream.libp2p.transport.tcp;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.Channel;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.net.SocketAddress;
import org.junit.jupiter.api.Test;

/** Where neither epoll nor kqueue is on the class path. */
class NioTcpTransportTest extends TcpTransportTest {
  @Override
  protected IoHandlerFactory ioHandlerFactory() {
    return NioIoHandler.newFactory();
  }

  @Test
  void theKindOfChannelFollowsTheLoop() throws Exception {
    SocketAddress address = listen(new Ignore()).channel().localAddress();
    Channel client = dial(address, new Ignore()).sync().channel();
    assertThat(client).isInstanceOf(NioSocketChannel.class);
    assertThat(accepted.take()).isInstanceOf(NioSocketChannel.class);
  }
}
