package io.grpcstream.samples.interop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.common.util.concurrent.ListenableFuture;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.StatusRuntimeException;
import io.grpcstream.PeerChannelBuilder;
import io.grpcstream.PeerServerBuilder;
import io.grpcstream.greeter.GreeterGrpc;
import io.grpcstream.greeter.HelloReply;
import io.grpcstream.greeter.HelloRequest;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.Multiaddr;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Channels to peers in other languages, and servers for them, while either is restarted. */
@Tag("interop")
@Timeout(value = 5, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class RestartTest {
  private static final int CALLS = 20;

  /** How long a peer may take to start, and the channel's back-off to end. */
  private static final int COMES_BACK_SECONDS = 120;

  private static final HelloRequest ADA = HelloRequest.newBuilder().setName("Ada").build();

  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource
  @DisplayName(
      "A channel comes back to a peer that was killed or has left, and calls that wait go on")
  void targetRestarts(Toolchain other) throws Exception {
    other.require();
    String address = "/ip4/127.0.0.1/tcp/0";
    Multiaddr known = null;
    ManagedChannel channel = null;
    List<ListenableFuture<HelloReply>> waiting = new ArrayList<>();
    try (Host host = Host.builder().build()) {
      Peer.await(host.start());
      for (boolean killed : new boolean[] {true, false, true}) {
        try (PeerProcess peer = listen(other, address)) {
          Multiaddr at = Multiaddr.parse(peer.nextLine(Peer.PATIENCE));
          if (channel == null) {
            known = at;
            address = at.withoutPeerId().toString();
            channel = PeerChannelBuilder.forAddress(host, at, Peer.PROTOCOL).build();
          }
          assertThat(at).isEqualTo(known);
          for (ListenableFuture<HelloReply> call : waiting) {
            assertThat(answer(call)).isEqualTo("Hello, Ada!");
          }
          assertThat(answer(call(channel, true))).isEqualTo("Hello, Ada!");
          if (!killed) {
            peer.endInput();
            peer.expectEnd(Peer.PATIENCE);
          }
        }
        ManagedChannel gone = channel;
        awaitFailure(gone, known);
        waiting.clear();
        for (int i = 0; i < CALLS; i++) {
          waiting.add(call(gone, true));
        }
      }
      channel.shutdownNow();
      for (ListenableFuture<HelloReply> call : waiting) {
        assertThatThrownBy(() -> answer(call)).hasCauseInstanceOf(StatusRuntimeException.class);
      }
      assertThat(channel.awaitTermination(Peer.PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
    }
  }

  /** Calls until one fails, which has to say who is gone. */
  private static void awaitFailure(ManagedChannel channel, Multiaddr known) {
    String peer = known.peerId().orElseThrow().toString();
    assertThatThrownBy(
            () -> {
              while (true) {
                answer(call(channel, false));
              }
            })
        .cause()
        .isInstanceOf(StatusRuntimeException.class)
        .hasMessageContaining("UNAVAILABLE")
        .hasMessageContaining(peer);
  }

  private PeerProcess listen(Toolchain other, String address) {
    String key = folder.resolve("peer.key").toAbsolutePath().toString();
    return other.start("listen", "--identity", key, "--address", address);
  }

  private static ListenableFuture<HelloReply> call(ManagedChannel channel, boolean waits) {
    GreeterGrpc.GreeterFutureStub greeter = GreeterGrpc.newFutureStub(channel);
    return (waits ? greeter.withWaitForReady() : greeter).sayHello(ADA);
  }

  private static String answer(ListenableFuture<HelloReply> call) throws Exception {
    return call.get(COMES_BACK_SECONDS, TimeUnit.SECONDS).getMessage();
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName(
      "Callers come back to a server for peers that is stopped, gracefully or not, and built anew")
  void serverRestarts(Toolchain other) throws Exception {
    other.require();
    try (Host host = Host.builder().listen("/ip4/127.0.0.1/tcp/0").build();
        RestartedServer server = new RestartedServer(host)) {
      server.start();
      Peer.await(host.start());
      try (PeerProcess caller =
          other.start(
              "call",
              host.listenAddresses().get(0).toString(),
              "--scenario",
              "unary,graceful-stop,hard-stop,reconnect,bidi-streaming")) {
        for (int scenario = 0; scenario < 5; scenario++) {
          assertThat(caller.nextLine(Peer.PATIENCE)).contains(" ok ");
        }
        caller.expectEnd(Peer.PATIENCE);
      }
      assertThat(server.starts()).isEqualTo(3);
    }
  }

  /** A server for peers in place of which calls to {@code Stop} put another one. */
  private static final class RestartedServer implements AutoCloseable {
    private final Host host;
    private final Calls calls = new Calls();
    private Server current;
    private int starts;

    RestartedServer(Host host) {
      this.host = host;
      current = build();
    }

    private Server build() {
      return PeerServerBuilder.forProtocol(host, Peer.PROTOCOL)
          .intercept(new CallHeaders())
          .addService(new GreeterService())
          .addService(new InteropService(calls, this::restart))
          .build();
    }

    synchronized void start() throws IOException {
      current.start();
      starts++;
    }

    synchronized int starts() {
      return starts;
    }

    private synchronized void restart(boolean graceful) {
      if (graceful) {
        current.shutdown();
      } else {
        current.shutdownNow();
      }
      current = build();
      try {
        start();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public synchronized void close() {
      current.shutdownNow();
    }
  }
}
