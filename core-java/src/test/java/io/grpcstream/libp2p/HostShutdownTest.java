package io.grpcstream.libp2p;

import static io.grpcstream.libp2p.TestHosts.ECHO;
import static io.grpcstream.libp2p.TestHosts.address;
import static io.grpcstream.libp2p.TestHosts.await;
import static io.grpcstream.libp2p.TestHosts.echo;
import static io.grpcstream.libp2p.TestHosts.eventually;
import static io.grpcstream.libp2p.TestHosts.failure;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpcstream.libp2p.transport.tcp.TcpTransport;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class HostShutdownTest {
  private static final Duration LONG = Duration.ofMinutes(10);

  private final TestHosts hosts = new TestHosts();

  @AfterEach
  void close() {
    hosts.close();
  }

  private static List<String> threadsOf(Host host) {
    String id = host.peerId().toString();
    String tail = id.substring(id.length() - 6);
    return Thread.getAllStackTraces().keySet().stream()
        .map(Thread::getName)
        .filter(name -> name.startsWith("grpcstream-") && name.contains(tail))
        .toList();
  }

  @Test
  @DisplayName("Open streams may end within the grace, and nothing new begins")
  void openStreamsEndWithinTheGrace() {
    Host server = hosts.start();
    Host client = hosts.start(builder -> builder);
    Stream stream = await(client.newStream(address(server), ECHO));
    Multiaddr address = address(server);

    CompletionStage<Void> done = server.shutdown(LONG);

    assertThat(echo(stream, "still here")).isEqualTo("still here");
    assertThat(failure(server.newStream(client.peerId(), ECHO)))
        .isInstanceOf(HostClosedException.class);
    assertThat(failure(client.newStream(address, ECHO))).isInstanceOf(Libp2pException.class);
    assertThat(done.toCompletableFuture()).isNotDone();
    stream.close();
    await(done);
    eventually("the client lost it", () -> client.connections().isEmpty());
    eventually("threads ended", () -> threadsOf(server).isEmpty());
  }

  @Test
  void theGraceCanBeShortenedAndThenStreamsAreCut() {
    Host server = hosts.start();
    Host client = hosts.start(builder -> builder);
    Stream stream = await(client.newStream(address(server), ECHO));
    assertThat(echo(stream, "x")).isEqualTo("x");
    CompletionStage<Void> first = server.shutdown(LONG);

    CompletionStage<Void> second = server.shutdown(Duration.ZERO);

    await(first);
    await(second);
    await(stream.closed());
    await(server.closed());
  }

  @Test
  void theGraceEnds() {
    Host server = hosts.start();
    Host client = hosts.start(builder -> builder);
    Stream stream = await(client.newStream(address(server), ECHO));

    await(server.shutdown(Duration.ofMillis(100)));

    stream.channel().read();
    await(stream.closed());
  }

  @Test
  void aHostThatWasNeverStartedIsShutDownAtOnce() {
    Host host = hosts.build(builder -> builder.listen(TestHosts.TCP));
    await(host.shutdown(LONG));
    await(host.closed());
    host.close();
    assertThat(failure(host.start())).isInstanceOf(HostClosedException.class);
  }

  @Test
  void shutdownRightAfterStartEndsBoth() {
    for (int i = 0; i < 20; i++) {
      Host host = hosts.build(builder -> builder.listen(TestHosts.TCP).listen(TestHosts.MEMORY));
      CompletionStage<Host> started = host.start();
      await(host.shutdown(Duration.ZERO));
      CompletableFuture<Host> start = started.toCompletableFuture();
      eventually("start has an outcome", start::isDone);
      eventually("threads ended", () -> threadsOf(host).isEmpty());
      assertThat(host.listenAddresses()).isEmpty();
    }
  }

  @Test
  void concurrentShutdownsAllComplete() throws Exception {
    Host server = hosts.start();
    Host client = hosts.start(builder -> builder);
    await(client.newStream(address(server), ECHO));
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      Thread thread = new Thread(server::close);
      thread.start();
      threads.add(thread);
    }
    server.shutdown(Duration.ZERO);
    for (Thread thread : threads) {
      thread.join(TimeUnit.SECONDS.toMillis(20));
      assertThat(thread.isAlive()).isFalse();
    }
    await(server.closed());
  }

  @Test
  void closingOnAnEventLoopDoesNotWaitForItself() {
    Host server = hosts.start();
    Host client = hosts.start(builder -> builder);
    Stream stream = await(client.newStream(address(server), ECHO));
    CompletableFuture<Void> returned = new CompletableFuture<>();

    stream
        .channel()
        .eventLoop()
        .execute(
            () -> {
              client.close();
              returned.complete(null);
            });

    await(returned);
    client.shutdown(Duration.ZERO);
    await(client.closed());
  }

  @Test
  void aDialUnderWayFailsAndItsSocketIsReleased() throws Exception {
    try (RawServer silent = RawServer.silent()) {
      Host client = hosts.start(builder -> builder);
      CompletionStage<Stream> stream = client.newStream(silent.address(), ECHO);
      eventually("connected", () -> silent.accepted.get() == 1);

      CompletionStage<Void> done = client.shutdown(LONG);

      assertThat(failure(stream)).isInstanceOf(HostClosedException.class);
      await(done);
      eventually("slots are free", () -> client.stats().outboundConnections() == 0);
    }
  }

  @Test
  void everythingIsReleased() {
    Host server = hosts.start(builder -> builder.listen(TestHosts.TCP).threads(2));
    Host client = hosts.start(builder -> builder.threads(2));
    List<Stream> streams = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      streams.add(await(client.newStream(address(server), ECHO)));
    }
    assertThat(threadsOf(server)).isNotEmpty();
    Connection connection = client.connections().get(0);

    await(client.shutdown(Duration.ofMillis(100)));
    await(server.shutdown(Duration.ofMillis(100)));

    streams.forEach(stream -> assertThat(stream.channel().isOpen()).isFalse());
    assertThat(connection.isOpen()).isFalse();
    for (Host host : List.of(server, client)) {
      HostStats stats = host.stats();
      assertThat(stats.inboundConnections() + stats.outboundConnections()).isZero();
      assertThat(stats.inboundStreams() + stats.outboundStreams()).isZero();
      assertThat(host.connections()).isEmpty();
      assertThat(host.listenAddresses()).isEmpty();
      eventually("threads ended", () -> threadsOf(host).isEmpty());
    }
  }

  @Test
  void anEventLoopGroupOfTheCallersIsLeftRunning() {
    EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, TcpTransport.ioHandlerFactory());
    try {
      Host server = hosts.start(builder -> builder.listen(TestHosts.TCP).eventLoopGroup(group));
      Host client = hosts.start(builder -> builder.eventLoopGroup(group));
      Multiaddr address = address(server);
      Stream stream = await(client.newStream(address, ECHO));
      assertThat(echo(stream, "x")).isEqualTo("x");
      stream.close();

      client.close();
      server.close();

      assertThat(group.isShuttingDown()).isFalse();
      Host next =
          hosts.start(builder -> builder.listen(address.withoutPeerId()).eventLoopGroup(group));
      assertThat(next.listenAddresses()).hasSize(1);
      await(next.shutdown(Duration.ZERO));
    } finally {
      group.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
    }
  }

  @Test
  void aThousandConnectionsInARowLeaveNothing() {
    Host server = hosts.start(builder -> builder.listen(TestHosts.TCP));
    Host client = hosts.start(builder -> builder);
    for (int i = 0; i < 1_000; i++) {
      Stream stream = await(client.newStream(address(server), ECHO));
      assertThat(echo(stream, "x")).isEqualTo("x");
      Connection connection = client.connections().get(0);
      connection.close();
      await(connection.closed());
    }
    eventually("the server has none", () -> server.connections().isEmpty());
    for (Host host : List.of(server, client)) {
      eventually(
          "nothing is held by " + host,
          () -> {
            HostStats stats = host.stats();
            return stats.inboundConnections()
                    + stats.outboundConnections()
                    + stats.inboundStreams()
                    + stats.outboundStreams()
                == 0;
          });
      assertThat(host.stats().refusals().keySet())
          .doesNotContain(Refusal.UPGRADE_FAILED, Refusal.PROTOCOL_VIOLATION);
    }
  }
}
