package io.grpcstream.libp2p;

import static io.grpcstream.libp2p.TestHosts.ECHO;
import static io.grpcstream.libp2p.TestHosts.ECHOER;
import static io.grpcstream.libp2p.TestHosts.address;
import static io.grpcstream.libp2p.TestHosts.await;
import static io.grpcstream.libp2p.TestHosts.echo;
import static io.grpcstream.libp2p.TestHosts.eventually;
import static io.grpcstream.libp2p.TestHosts.failure;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpcstream.libp2p.transport.tcp.TcpTransport;
import io.netty.buffer.Unpooled;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.socket.DuplexChannel;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What belongs to a host that has ended does nothing, or fails as it says; it never throws. */
class AfterShutdownTest {
  private final TestHosts hosts = new TestHosts();
  private final Host server = hosts.start(builder -> builder.listen(TestHosts.TCP));
  private Multiaddr address = address(server);

  @AfterEach
  void close() {
    hosts.close();
  }

  @Test
  void nothingOfAHostThatHasShutDownThrows() {
    Host client = hosts.start(builder -> builder.listen(TestHosts.TCP));
    Stream stream = opened(client);
    Connection connection = client.connections().get(0);
    await(client.shutdown(Duration.ZERO));

    assertThat(failure(client.newStream(address, ECHO))).isInstanceOf(HostClosedException.class);
    assertThat(failure(client.connect(address))).isInstanceOf(HostClosedException.class);
    assertThat(failure(connection.newStream(ECHO))).isInstanceOf(HostClosedException.class);
    use(client, connection, stream);
    await(client.shutdown(Duration.ofHours(1)));
  }

  @Test
  @DisplayName("Nothing throws when the caller's event loops have ended under the host")
  void eventLoopsEndedUnderTheHost() {
    MultiThreadIoEventLoopGroup group =
        new MultiThreadIoEventLoopGroup(1, TcpTransport.ioHandlerFactory());
    Host client = hosts.start(builder -> builder.listen(TestHosts.TCP).eventLoopGroup(group));
    Stream stream = opened(client);
    Connection connection = client.connections().get(0);
    group.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
    eventually("the connection ended", () -> client.connections().isEmpty());

    assertThat(failure(client.newStream(address, ECHO))).isInstanceOf(Libp2pException.class);
    assertThat(failure(client.connect(address))).isInstanceOf(Libp2pException.class);
    assertThat(failure(connection.newStream(ECHO))).isInstanceOf(Libp2pException.class);
    use(client, connection, stream);
    await(client.shutdown(Duration.ofHours(1)));
  }

  @Test
  @DisplayName("A dial is failed by a shutdown after the caller's event loops have ended")
  void dialFailedByALateShutdown() throws Exception {
    MultiThreadIoEventLoopGroup group =
        new MultiThreadIoEventLoopGroup(1, TcpTransport.ioHandlerFactory());
    try (RawServer silent = RawServer.silent()) {
      Host client = hosts.start(builder -> builder.eventLoopGroup(group));
      CompletionStage<Connection> dial = client.connect(silent.address());
      eventually("connected", () -> silent.accepted.get() == 1);
      group.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();

      await(client.shutdown(Duration.ofHours(1)));
      assertThat(failure(dial)).isInstanceOf(Libp2pException.class);
    }
  }

  @Test
  @DisplayName("A shutdown under way ends with the caller's event loops")
  void shutdownEndsWithTheEventLoops() {
    MultiThreadIoEventLoopGroup group =
        new MultiThreadIoEventLoopGroup(1, TcpTransport.ioHandlerFactory());
    Host client = hosts.start(builder -> builder.eventLoopGroup(group));
    Stream stream = opened(client);
    CompletionStage<Void> end = client.shutdown(Duration.ofHours(1));
    await(stream.hostShutdown());
    assertThat(end.toCompletableFuture()).isNotDone();

    group.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
    await(end);
  }

  private Stream opened(Host client) {
    Stream stream = await(client.newStream(address, ECHO));
    assertThat(echo(stream, "x")).isEqualTo("x");
    return stream;
  }

  @Test
  @DisplayName("A host that was closed before its start fails dials instead of throwing")
  void hostClosedBeforeItsStart() {
    Host host = Host.builder().build();
    host.close();
    Multiaddr address = Multiaddr.parse("/ip4/127.0.0.1/tcp/1");
    assertThat(failure(host.connect(address))).isInstanceOf(HostClosedException.class);
    assertThat(failure(host.newStream(address, ECHO))).isInstanceOf(HostClosedException.class);
    assertThat(failure(host.ping(host.peerId()))).isInstanceOf(HostClosedException.class);
  }

  private static void use(Host host, Connection connection, Stream stream) {
    await(stream.closed());
    await(connection.closed());
    DuplexChannel channel = (DuplexChannel) stream.channel();
    channel.config().setAutoRead(false);
    channel.config().setAutoRead(true);
    channel.read();
    assertThat(channel.writeAndFlush(Unpooled.copyLong(1)).isSuccess()).isFalse();
    assertThat(channel.shutdownOutput().isSuccess()).isFalse();
    channel.shutdownInput();
    channel.shutdown();
    stream.close();
    stream.reset();
    channel.close();
    connection.close();
    assertThat(connection.roundTrip()).isNotNull();
    assertThat(connection.streams()).isEmpty();
    host.handle("/late/1.0.0", ECHOER);
    host.unhandle("/late/1.0.0");
    assertThat(host.connections()).isEmpty();
    assertThat(host.stats().outboundStreams()).isZero();
    assertThat(failure(host.ping(connection.remotePeer()))).isNotNull();
  }
}
