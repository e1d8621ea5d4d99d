package io.grpcstream.libp2p;

import static io.grpcstream.libp2p.TestHosts.ECHO;
import static io.grpcstream.libp2p.TestHosts.address;
import static io.grpcstream.libp2p.TestHosts.await;
import static io.grpcstream.libp2p.TestHosts.echo;
import static io.grpcstream.libp2p.TestHosts.eventually;
import static io.grpcstream.libp2p.TestHosts.failure;
import static io.grpcstream.libp2p.TestHosts.noStreams;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.grpcstream.libp2p.crypto.PrivateKey;
import io.grpcstream.libp2p.host.HostConfig;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HostTest {
  private final TestHosts hosts = new TestHosts();

  @AfterEach
  void close() {
    hosts.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"/memory/0", "/ip4/127.0.0.1/tcp/0", "/ip6/::1/tcp/0"})
  void aStreamCarriesBytesBothWays(String listen) {
    Host server = hosts.start(builder -> builder.listen(listen));
    Host client = hosts.start(builder -> builder);

    Stream stream = await(client.newStream(address(server), "/other/1.0.0", ECHO));

    assertThat(echo(stream, "hello")).isEqualTo("hello");
    assertThat(stream.protocol()).isEqualTo(ECHO);
    assertThat(stream.remotePeer()).isEqualTo(server.peerId());
    assertThat(stream.localPeer()).isEqualTo(client.peerId());
    assertThat(stream.remoteAddress()).isEqualTo(address(server).withoutPeerId());
    assertThat(stream.isInitiator()).isTrue();
    Connection connection = client.connections().get(0);
    assertThat(connection.security()).isEqualTo("/tls/1.0.0");
    assertThat(connection.muxer()).isEqualTo("/yamux/1.0.0");
    assertThat(connection.isInitiator()).isTrue();
    eventually("both know the stream", () -> connection.streams().contains(stream));
    stream.close();
    await(stream.closed());
  }

  @Test
  void listenAddressesHaveRealPortsAndThePeerId() {
    PrivateKey key = PrivateKey.generateEd25519();
    Host host =
        hosts.start(
            builder ->
                builder.identity(key).listen("/ip4/127.0.0.1/tcp/0").listen("/ip4/0.0.0.0/tcp/0"));

    assertThat(host.peerId()).isEqualTo(PeerId.of(key.publicKey()));
    assertThat(host.listenAddresses())
        .hasSizeGreaterThanOrEqualTo(2)
        .allSatisfy(
            address -> {
              assertThat(address.peerId()).contains(host.peerId());
              assertThat(address.value("tcp").orElseThrow()).isNotEqualTo("0");
              assertThat(address.value("ip4").orElseThrow()).isNotEqualTo("0.0.0.0");
            });
  }

  @Test
  @DisplayName("A host that cannot listen on all addresses listens on none and is shut down")
  void hostListensOnAllOrNone() {
    Host first = hosts.start(builder -> builder.listen("/ip4/127.0.0.1/tcp/0"));
    Multiaddr taken = address(first).withoutPeerId();
    Host second = hosts.build(builder -> builder.listen("/memory/4711").listen(taken));

    assertThat(failure(second.start()))
        .isInstanceOf(Libp2pException.class)
        .hasMessageContaining(taken.toString());
    await(second.closed());
    assertThat(second.listenAddresses()).isEmpty();
    Host third = hosts.start(builder -> builder.listen("/memory/4711"));
    assertThat(third.listenAddresses()).hasSize(1);
  }

  @Test
  @DisplayName("Starting twice is starting once, and after shutdown it fails")
  void startingTwiceOrAfterShutdown() {
    Host host = hosts.start();
    List<Multiaddr> addresses = host.listenAddresses();

    await(host.start());

    assertThat(host.listenAddresses()).isEqualTo(addresses);
    await(host.shutdown(Duration.ZERO));
    assertThat(failure(host.start())).isInstanceOf(HostClosedException.class);
    assertThat(failure(host.newStream(addresses.get(0), ECHO)))
        .isInstanceOf(HostClosedException.class);
  }

  @Test
  void aHostThatIsNotStartedDoesNotDial() {
    Host server = hosts.start();
    Host host = hosts.build(builder -> builder);

    assertThat(failure(host.newStream(address(server), ECHO)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("not been started");
  }

  @Test
  @DisplayName("Addresses that no transport serves are refused when the host is built")
  void unservedAddressesAreRefused() {
    for (String address :
        List.of("/ip4/127.0.0.1/udp/1/quic-v1", "/dns4/localhost/tcp/0", "/ip4/127.0.0.1")) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> Host.builder().listen(address))
          .withMessageContaining(address);
    }
  }

  @Test
  void aProtocolNobodyServesIsNamedWithThePeer() {
    Host server = hosts.start();
    Host client = hosts.start(builder -> builder);

    assertThat(failure(client.newStream(address(server), "/a/1", "/b/1")))
        .isInstanceOfSatisfying(
            ProtocolNotSupportedException.class,
            e -> {
              assertThat(e.peer()).isEqualTo(server.peerId());
              assertThat(e.protocols()).containsExactly("/a/1", "/b/1");
              assertThat(e).hasMessageContainingAll("/a/1", "/b/1", server.peerId().toString());
            });
    noStreams(client);
    assertThat(await(client.newStream(server.peerId(), ECHO)).protocol()).isEqualTo(ECHO);
  }

  @Test
  void handlersComeAndGoWhileTheHostRuns() {
    Host server = hosts.start();
    Host client = hosts.start(builder -> builder);
    assertThat(failure(client.newStream(address(server), "/late/1")))
        .isInstanceOf(ProtocolNotSupportedException.class);

    server.handle("/late/1", TestHosts.ECHOER);
    Stream stream = await(client.newStream(address(server), "/late/1"));
    assertThat(echo(stream, "now")).isEqualTo("now");

    assertThat(server.unhandle("/late/1")).isTrue();
    assertThat(server.unhandle("/late/1")).isFalse();
    assertThat(echo(stream, "still")).isEqualTo("still");
    assertThat(failure(client.newStream(address(server), "/late/1")))
        .isInstanceOf(ProtocolNotSupportedException.class);
  }

  @Test
  void aHandlerThatThrowsLosesItsStreamOnly() {
    Host server = hosts.start();
    server.handle(
        "/broken/1",
        stream -> {
          throw new IllegalStateException("broken on purpose");
        });
    Host client = hosts.start(builder -> builder);
    Stream good = await(client.newStream(address(server), ECHO));

    // The reset may overtake the agreement, or follow it.
    CompletableFuture<Void> ended = new CompletableFuture<>();
    client
        .newStream(address(server), "/broken/1")
        .whenComplete(
            (stream, failure) -> {
              if (stream == null) {
                ended.complete(null);
              } else {
                stream.channel().read();
                stream.closed().thenRun(() -> ended.complete(null));
              }
            });
    await(ended);

    assertThat(echo(good, "fine")).isEqualTo("fine");
    assertThat(server.stats().refusals(Refusal.STREAM_HANDLER_FAILED)).isEqualTo(1);
  }

  @Test
  void peersIdentifyEachOther() {
    Host server =
        hosts.start(builder -> builder.listen(TestHosts.MEMORY).agentVersion("the-server"));
    Host client =
        hosts.start(builder -> builder.listen(TestHosts.MEMORY).agentVersion("the-client"));

    Connection connection = await(client.connect(address(server)));

    eventually("the client knows the server", () -> connection.peerInfo().isPresent());
    PeerInfo info = connection.peerInfo().orElseThrow();
    assertThat(info.agentVersion()).isEqualTo("the-server");
    assertThat(info.protocols()).contains(ECHO, "/ipfs/id/1.0.0", "/ipfs/ping/1.0.0");
    assertThat(info.listenAddresses()).containsExactly(address(server).withoutPeerId());
    eventually(
        "the server knows the client's address",
        () -> server.addresses(client.peerId()).contains(address(client).withoutPeerId()));
  }

  @Test
  void newProtocolsArePushedToConnectedPeers() {
    Host server = hosts.start();
    Host client = hosts.start(builder -> builder);
    Connection connection = await(client.connect(address(server)));
    eventually("identified", () -> connection.peerInfo().isPresent());

    server.handle("/fresh/1", TestHosts.ECHOER);

    eventually(
        "pushed",
        () -> connection.peerInfo().filter(i -> i.protocols().contains("/fresh/1")).isPresent());
  }

  @Test
  void aPingMeasuresTheRoundTripAndLeavesNoStream() {
    Host server = hosts.start();
    Host client = hosts.start(builder -> builder);
    client.addAddress(server.peerId(), address(server));

    for (int i = 0; i < 5; i++) {
      assertThat(await(client.ping(server.peerId()))).isPositive();
    }
    noStreams(client);
    noStreams(server);
  }

  @Test
  void cancellingAnOpenLeavesNoStreamBehind() {
    Host server = hosts.start();
    Host client = hosts.start(builder -> builder);
    await(client.connect(address(server)));

    for (int i = 0; i < 50; i++) {
      CompletableFuture<Stream> opening =
          client.newStream(address(server), ECHO).toCompletableFuture();
      if (!opening.cancel(false)) {
        // It was quicker.
        await(opening).reset();
      }
    }

    noStreams(client);
    noStreams(server);
    assertThat(await(client.newStream(address(server), ECHO))).isNotNull();
  }

  @Test
  void listenersHearOfEachConnectionOnce() {
    Host server = hosts.start();
    Host client = hosts.start(builder -> builder);
    List<String> events = new java.util.concurrent.CopyOnWriteArrayList<>();
    ConnectionListener listener =
        new ConnectionListener() {
          @Override
          public void onConnected(Connection connection) {
            events.add("up " + connection.remotePeer());
          }

          @Override
          public void onDisconnected(Connection connection) {
            events.add("down " + connection.remotePeer());
          }
        };
    ConnectionListener.Registration registration = server.addListener(listener);

    Connection connection = await(client.connect(address(server)));
    connection.close();
    await(connection.closed());

    String peer = client.peerId().toString();
    eventually("down", () -> events.size() == 2);
    assertThat(events).containsExactly("up " + peer, "down " + peer);
    registration.close();
    CompletableFuture<Void> told = new CompletableFuture<>();
    server.addListener(
        new ConnectionListener() {
          @Override
          public void onConnected(Connection next) {
            told.complete(null);
          }
        });
    await(client.connect(address(server)));
    await(told);
    assertThat(events).hasSize(2);
  }

  @Test
  @DisplayName(
      "A peer is told built-in protocols first, then in order of registration, and warns once of what does not fit")
  void builtInProtocolsAreToldFirst() {
    String tail = "x".repeat(100);
    List<String> wanted = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      wanted.add("/wanted/" + i + "/" + tail);
    }
    try (LogLines log = new LogLines()) {
      Host server = hosts.build(builder -> builder.listen(TestHosts.MEMORY));
      wanted.forEach(protocol -> server.handle(protocol, TestHosts.ECHOER));
      await(server.start());
      Host client = hosts.start(builder -> builder);
      for (int round = 0; round < 2; round++) {
        Connection connection = await(client.connect(address(server)));
        eventually("identified", () -> connection.peerInfo().isPresent());
        PeerInfo info = connection.peerInfo().orElseThrow();
        List<String> all = new ArrayList<>(server.protocols());
        assertThat(all.subList(0, 3))
            .containsExactlyInAnyOrder("/ipfs/id/1.0.0", "/ipfs/id/push/1.0.0", "/ipfs/ping/1.0.0");
        assertThat(all.subList(3, all.size())).isEqualTo(wanted);
        assertThat(info.protocols())
            .hasSizeBetween(20, 60)
            .isEqualTo(all.subList(0, info.protocols().size()));
        assertThat(info.listenAddresses()).containsExactly(address(server).withoutPeerId());
        connection.close();
        await(connection.closed());
        assertThat(connection.peerInfo()).contains(info);
      }
      log.await("WARN", server.peerId(), "4096", "/wanted/");
      assertThat(log.lines().stream().filter(line -> line.contains("cannot tell peers")))
          .hasSize(1);
    }
  }

  @Test
  void theAgentIsThisSoftwareWithItsVersion() throws Exception {
    Host server = hosts.start();
    Host client = hosts.start(builder -> builder);
    Connection connection = await(client.connect(address(server)));
    eventually("identified", () -> connection.peerInfo().isPresent());
    assertThat(connection.peerInfo().orElseThrow().agentVersion())
        .matches("grpcstream/\\d+\\.\\d+\\.\\d+(-\\S+)?");
    assertThat(HostConfig.version("no-such.properties")).isEqualTo(HostConfig.UNKNOWN_VERSION);
  }

  @Test
  @DisplayName("A peer that pushes again and again stays within its limits")
  void repeatedPushesStayWithinLimits() {
    Host host =
        hosts.start(
            builder ->
                builder
                    .listen(TestHosts.MEMORY)
                    .limits(Limits.builder().peerInfoBytes(4_000).build()));
    Host greedy = hosts.build(builder -> builder.listen(TestHosts.MEMORY));
    for (int i = 0; i < 150; i++) {
      greedy.handle("/greedy/" + i, TestHosts.ECHOER);
    }
    await(greedy.start());
    Connection connection = await(host.connect(address(greedy)));
    eventually("dropped", () -> host.stats().refusals(Refusal.PEER_INFO) > 0);
    assertThat(connection.peerInfo()).isEmpty();
    assertThat(connection.isOpen()).isTrue();
    Host modest = hosts.build(builder -> builder.listen(TestHosts.MEMORY));
    await(modest.start());
    Connection other = await(host.connect(address(modest)));
    eventually("identified", () -> other.peerInfo().isPresent());
  }

  @Test
  @DisplayName("The reset of a stream that is made of a host's channel is one to the peer")
  void resetOfAStreamOverAHostsChannel() {
    Host server = hosts.start(builder -> builder.listen(TestHosts.TCP));
    CompletableFuture<Throwable> ended = new CompletableFuture<>();
    server.handle(
        ECHO,
        stream ->
            stream
                .channel()
                .pipeline()
                .addLast(
                    new ChannelInboundHandlerAdapter() {
                      @Override
                      public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
                        ended.complete(cause);
                      }

                      @Override
                      public void channelInactive(ChannelHandlerContext ctx) {
                        ended.completeExceptionally(new AssertionError("an orderly end"));
                      }
                    }));
    Stream own = await(hosts.start(builder -> builder).newStream(address(server), ECHO));
    Stream.over(own.channel(), own.localPeer(), own.remotePeer(), own.remoteAddress(), ECHO, true)
        .reset();
    assertThat(await(ended)).hasMessageContaining("reset by the other side");
  }
}
