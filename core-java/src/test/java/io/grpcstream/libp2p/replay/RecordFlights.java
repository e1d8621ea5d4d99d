package io.grpcstream.libp2p.replay;

import io.grpcstream.libp2p.Connection;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.Multiaddr;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/**
 * Records anew what {@link FlightsTest} plays. It is no test, and runs only when it is asked for;
 * the peers under {@code samples/interop} must have been built as their READMEs say:
 *
 * <pre>mvn -pl core-java -am test -Dtest=RecordFlights -Dsurefire.failIfNoSpecifiedTests=false
 * </pre>
 */
class RecordFlights {
  private static final Path PEERS = Path.of("..", "samples", "interop").toAbsolutePath();

  /** Those of {@code io.grpcstream.libp2p}. */
  static final Path RESOURCES = Path.of("src", "test", "resources", "io", "grpcstream", "libp2p");

  private static final Path FLIGHTS = RESOURCES.resolve("replay");

  private static final List<String> GO = List.of(PEERS.resolve("go").resolve("interop").toString());
  private static final List<String> JS = List.of("node", PEERS.resolve("js").toString());

  @Test
  void noise() throws Exception {
    for (String key : List.of("ed25519", "secp256k1", "ecdsa", "rsa")) {
      recordDialling("go", GO, "noise", key);
      recordListening("go", GO, "noise", key);
      if (!key.equals("ecdsa")) { // js-libp2p makes no peer ids of these
        recordDialling("js", JS, "noise", key);
        recordListening("js", JS, "noise", key);
      }
    }
  }

  @Test
  void tls() throws Exception {
    recordDialling("go", GO, "tls", "ed25519");
    recordDialling("js", JS, "tls", "ed25519");
  }

  private static void recordDialling(
      String language, List<String> command, String security, String key) throws Exception {
    try (Host host = Replays.host(security.equals("tls") ? "/tls/1.0.0" : "/noise");
        Recorder recorder = new Recorder(Replays.socketAddress(host))) {
      host.handle("/greeter/1.0.0", stream -> {}); // Without an answer: the caller stays.
      CompletableFuture<Connection> connection = new CompletableFuture<>();
      Replays.onConnected(host, connection::complete);
      Multiaddr address = Replays.multiaddr(recorder.port()).withPeerId(host.peerId());
      List<String> call = List.of("call", address.toString(), "--scenario", "unary");
      Process process = start(command, call, security, key);
      try {
        Connection made = Replays.await(connection);
        Replays.await(() -> made.peerInfo().isPresent());
        List<String> name = List.of(language, "dials", security, key);
        save(
            new Flight(
                name,
                made.remotePeer().toString(),
                recorder.fromDialler(),
                recorder.fromListener()));
      } finally {
        process.destroyForcibly();
      }
    }
  }

  private static void recordListening(
      String language, List<String> command, String security, String key) throws Exception {
    Process process = start(command, List.of("listen"), security, key);
    try (Host host = Replays.host("/noise");
        BufferedReader lines = process.inputReader()) {
      Multiaddr address = Multiaddr.parse(lines.readLine());
      int port = Integer.parseInt(address.value("tcp").orElseThrow());
      InetSocketAddress target = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
      try (Recorder recorder = new Recorder(target)) {
        Connection made = Replays.await(host.connect(Replays.multiaddr(recorder.port())));
        Replays.await(() -> made.peerInfo().isPresent());
        List<String> name = List.of(language, "listens", security, key);
        save(
            new Flight(
                name,
                made.remotePeer().toString(),
                recorder.fromListener(),
                recorder.fromDialler()));
      }
    } finally {
      process.destroyForcibly();
    }
  }

  /** What starts a peer in {@code language}. */
  static List<String> command(String language) {
    return language.equals("go") ? GO : JS;
  }

  static Process start(List<String> command, List<String> call, String security, String key)
      throws IOException {
    List<String> line = new ArrayList<>(command);
    line.addAll(call);
    line.addAll(List.of("--security", security, "--key", key));
    return new ProcessBuilder(line).redirectError(ProcessBuilder.Redirect.INHERIT).start();
  }

  private static void save(Flight flight) throws IOException {
    Files.createDirectories(FLIGHTS);
    Path file = FLIGHTS.resolve(String.join("-", flight.they()) + ".txt");
    String version = versionOf(flight.they().get(0));
    Files.writeString(file, flight.text("recorded by RecordFlights with " + version));
  }

  static String versionOf(String language) throws IOException {
    boolean go = language.equals("go");
    Path file = PEERS.resolve(language).resolve(go ? "go.mod" : "package.json");
    String mark = go ? "libp2p/go-libp2p v" : "\"libp2p\":";
    return Files.readAllLines(file).stream()
        .filter(line -> line.contains(mark))
        .findFirst()
        .orElseThrow()
        .strip();
  }
}
