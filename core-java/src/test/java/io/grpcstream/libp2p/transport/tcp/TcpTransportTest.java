package io.grpcstream.libp2p.transport.tcp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpcstream.libp2p.transport.Transport;
import io.grpcstream.libp2p.transport.TransportContract;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.local.LocalAddress;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.SocketAddress;
import java.time.Duration;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** On the best event loop of this platform. */
class TcpTransportTest extends TransportContract {
  @Override
  protected Transport transport() {
    return new TcpTransport();
  }

  @Override
  protected IoHandlerFactory ioHandlerFactory() {
    return TcpTransport.ioHandlerFactory();
  }

  @Override
  protected SocketAddress anyAddress() {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
  }

  @Override
  protected SocketAddress unusedAddress() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalSocketAddress();
    }
  }

  @Override
  protected SocketAddress foreignAddress() {
    return new LocalAddress("1");
  }

  @Test
  @DisplayName("Small writes are not delayed, and connecting has a deadline")
  void smallWritesAndConnectDeadline() throws Exception {
    SocketAddress address = listen(new Ignore()).channel().localAddress();
    Channel client =
        transport
            .dial(group.next(), address, new Ignore(), Duration.ofMillis(1234))
            .sync()
            .channel();
    assertThat(client.config().getConnectTimeoutMillis()).isEqualTo(1234);
    assertThat(client.config().getOption(ChannelOption.TCP_NODELAY)).isTrue();
    assertThat(accepted.take().config().getOption(ChannelOption.TCP_NODELAY)).isTrue();
  }

  @Test
  void namesMustBeResolvedFirst() {
    assertThatThrownBy(
            () -> dial(InetSocketAddress.createUnresolved("peer.invalid", 1), new Ignore()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("peer.invalid");
  }
}
