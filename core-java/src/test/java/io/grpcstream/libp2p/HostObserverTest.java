package io.grpcstream.libp2p;

import static io.grpcstream.libp2p.TestHosts.ECHO;
import static io.grpcstream.libp2p.TestHosts.address;
import static io.grpcstream.libp2p.TestHosts.await;
import static io.grpcstream.libp2p.TestHosts.echo;
import static io.grpcstream.libp2p.TestHosts.eventually;
import static io.grpcstream.libp2p.TestHosts.failure;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpcstream.libp2p.crypto.PrivateKey;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class HostObserverTest {
  private final TestHosts hosts = new TestHosts();

  @AfterEach
  void close() {
    hosts.close();
  }

  /** What was told, in words. */
  private static final class Heard implements HostObserver {
    final List<String> events = new CopyOnWriteArrayList<>();
    final List<Duration> times = new CopyOnWriteArrayList<>();

    @Override
    public void onStart(Host host) {
      events.add("start " + host.listenAddresses().size());
    }

    @Override
    public void onDialed(@Nullable PeerId peer, Duration took, @Nullable Throwable failure) {
      times.add(took);
      events.add("dial " + (failure == null ? "done" : failure.getClass().getSimpleName()));
    }

    @Override
    public void onHandshake(
        boolean initiator, String security, Duration took, @Nullable Throwable failure) {
      times.add(took);
      String how = failure == null ? "done" : failure.getClass().getSimpleName();
      events.add("handshake %s %s %s".formatted(initiator, security, how));
    }

    @Override
    public void onConnected(Connection connection) {
      events.add("connected");
    }

    @Override
    public void onDisconnected(Connection connection) {
      events.add("disconnected");
    }

    @Override
    public void onStreamOpened(Connection connection, Stream stream) {
      events.add("open " + stream.isInitiator() + " " + stream.protocol());
    }

    @Override
    public void onStreamClosed(Connection connection, Stream stream) {
      events.add("closed " + stream.isInitiator() + " " + stream.protocol());
    }

    @Override
    public void onRoundTrip(Connection connection, Duration roundTrip) {
      times.add(roundTrip);
      events.add("round trip");
    }

    @Override
    public void onEventLoopDelay(Duration delay) {
      times.add(delay);
      events.add("delay");
    }
  }

  @Test
  @DisplayName("An observer hears of the dial, the handshake, the connection and its streams")
  void ordinaryLife() {
    Heard dialler = new Heard();
    Heard listener = new Heard();
    Host server = hosts.start(builder -> builder.listen("/ip4/127.0.0.1/tcp/0").observer(listener));
    Host client = hosts.start(builder -> builder.observer(dialler));
    Stream stream = await(client.newStream(address(server), ECHO));
    assertThat(echo(stream, "x".repeat(10_000))).hasSize(10_000);
    stream.close();

    eventually("it is told", () -> dialler.events.contains("closed true " + ECHO));
    eventually("a round trip", () -> dialler.events.contains("round trip"));
    eventually("both loops are measured", () -> listener.events.contains("delay"));
    String security = client.connections().get(0).security();
    assertThat(dialler.events)
        .contains("dial done", "handshake true " + security + " done", "connected", "round trip")
        .containsSubsequence("open true " + ECHO, "closed true " + ECHO)
        .startsWith("start 0");
    assertThat(listener.events)
        .contains("handshake false " + security + " done", "connected", "open false " + ECHO)
        .noneMatch(event -> event.startsWith("dial"));
    assertThat(dialler.times)
        .allSatisfy(time -> assertThat(time).isBetween(Duration.ZERO, Duration.ofMinutes(1)));
    await(client.shutdown(Duration.ZERO));
    assertThat(dialler.events).contains("disconnected");
  }

  @Test
  @DisplayName("What a host has sent, another has received: all of it, with its encryption")
  void bytes() {
    Heard heard = new Heard();
    Host server = hosts.start(builder -> builder.listen("/memory/0").observer(heard));
    Host client = hosts.start(builder -> builder.observer(heard));
    Stream stream = await(client.newStream(address(server), ECHO));
    assertThat(echo(stream, "x".repeat(10_000))).hasSize(10_000);
    stream.close();

    eventually(
        "all has arrived",
        () ->
            client.stats().bytesSent() == server.stats().bytesReceived()
                && server.stats().bytesSent() == client.stats().bytesReceived());
    assertThat(client.stats().bytesSent()).isBetween(10_000L, 20_000L);
    assertThat(client.stats().bytesReceived()).isBetween(10_000L, 20_000L);
  }

  @Test
  @DisplayName("A host without an observer counts no bytes")
  void unobserved() {
    Host server = hosts.start(builder -> builder.listen("/memory/0"));
    Host client = hosts.start(builder -> builder);
    assertThat(echo(await(client.newStream(address(server), ECHO)), "x")).isEqualTo("x");
    assertThat(client.stats().bytesSent() + client.stats().bytesReceived()).isZero();
  }

  @Test
  @DisplayName("Dials and handshakes that fail are told with their failure, once each")
  void failures() throws Exception {
    Heard heard = new Heard();
    Host server = hosts.start(builder -> builder.listen("/ip4/127.0.0.1/tcp/0"));
    Host client = hosts.start(builder -> builder.observer(heard));
    PeerId other = PeerId.of(PrivateKey.generateEd25519().publicKey());
    failure(client.connect(address(server).withoutPeerId().withPeerId(other)));
    assertThat(heard.events)
        .filteredOn(event -> event.startsWith("dial") || event.startsWith("handshake"))
        .hasSize(2)
        .anyMatch(event -> event.matches("handshake true /\\S+ PeerIdMismatchException"))
        .contains("dial PeerIdMismatchException");
    failure(client.connect(other));
    assertThat(heard.events).contains("dial DialException");
  }

  @Test
  @DisplayName("An observer that throws harms nobody")
  void throwing() {
    HostObserver broken =
        new HostObserver() {
          @Override
          public void onStart(Host host) {
            throw new IllegalStateException("on purpose");
          }

          @Override
          public void onStreamOpened(Connection connection, Stream stream) {
            throw new IllegalStateException("on purpose");
          }
        };
    Heard heard = new Heard();
    Host server =
        hosts.start(builder -> builder.listen("/memory/0").observer(broken).observer(heard));
    Host client = hosts.start(builder -> builder);
    assertThat(echo(await(client.newStream(address(server), ECHO)), "x")).isEqualTo("x");
    assertThat(heard.events).contains("start 0", "open false " + ECHO);
  }
}
