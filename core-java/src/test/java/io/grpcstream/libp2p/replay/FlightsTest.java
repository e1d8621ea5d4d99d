package io.grpcstream.libp2p.replay;

import static io.grpcstream.libp2p.replay.Replays.PATIENCE_MILLIS;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpcstream.libp2p.Connection;
import io.grpcstream.libp2p.Host;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Plays what peers in other languages once sent to a host with the same keys as then, over TCP: it
 * must come to the same result, and send the same bytes. {@link RecordFlights} has recorded them.
 */
@Timeout(120)
class FlightsTest {
  /** A yamux header, multistream's own id, that of identify, and the tag of Noise. */
  private static final int IDENTIFY_REQUEST = 12 + 20 + 16 + 16;

  /** Less than what the answer takes, more than all that we send unasked. */
  private static final int IDENTIFY_ANSWER = 250;

  private static final int TLS_HEADER = 5;
  private static final byte TLS_CHANGE_CIPHER_SPEC = 20;
  private static final byte TLS_HANDSHAKE = 22;
  private static final byte TLS_APPLICATION_DATA = 23;
  private static final byte SERVER_HELLO = 2;

  /** The other side dials or listens; the handshake is the whole of it, in one piece. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "go-dials-noise-ed25519",
        "go-dials-noise-secp256k1",
        "go-dials-noise-ecdsa",
        "go-dials-noise-rsa",
        "js-dials-noise-ed25519",
        "js-dials-noise-secp256k1",
        "js-dials-noise-rsa",
        "go-listens-noise-ed25519",
        "go-listens-noise-secp256k1",
        "go-listens-noise-ecdsa",
        "go-listens-noise-rsa",
        "js-listens-noise-ed25519",
        "js-listens-noise-secp256k1",
        "js-listens-noise-rsa"
      })
  @DisplayName("A Noise handshake of another language is answered as then")
  void noiseHandshakeOfAnotherLanguage(String name) throws Exception {
    Flight flight = Flight.load(name);
    int theirHandshake = Flight.noiseHandshake(flight.theirs(), flight.theyDial());
    int ourHandshake = Flight.noiseHandshake(flight.ours(), !flight.theyDial());
    try (Host host = Replays.host("/noise");
        Played played = Played.connect(host, flight.theyDial())) {
      played.send(flight.theirs(), 0, theirHandshake);

      assertThat(played.read(ourHandshake)).isEqualTo(Arrays.copyOf(flight.ours(), ourHandshake));
      Connection connection = Replays.await(played.connection);
      assertThat(connection.security()).isEqualTo("/noise");
      assertThat(connection.muxer()).isEqualTo("/yamux/1.0.0");
      assertThat(connection.remotePeer()).hasToString(flight.peer());

      played.read(1); // Our own question, to which bytes of theirs may refer.
      played.send(
          flight.theirs(), theirHandshake, identifyRequestEnd(flight.theirs(), theirHandshake));
      assertThat(played.read(IDENTIFY_ANSWER)).hasSize(IDENTIFY_ANSWER);
      assertThat(connection.isOpen()).isTrue();
    }
  }

  /** Where the record ends that asks for our identify; later ones answer streams not open yet. */
  private static int identifyRequestEnd(byte[] noise, int start) {
    int end = start;
    int length;
    do {
      length = Short.toUnsignedInt(ByteBuffer.wrap(noise).getShort(end));
      end += Short.BYTES + length;
    } while (length != IDENTIFY_REQUEST);
    return end;
  }

  /** What comes after depends on keys that TLS makes anew, and cannot be played. */
  @ParameterizedTest
  @ValueSource(strings = {"go-dials-tls-ed25519", "js-dials-tls-ed25519"})
  @DisplayName("A TLS ClientHello of another language is answered by a ServerHello")
  void clientHelloOfAnotherLanguage(String name) throws Exception {
    byte[] theirs = Flight.load(name).theirs();
    int hello = Flight.negotiation(theirs);
    int end = hello + TLS_HEADER + ByteBuffer.wrap(theirs).getShort(hello + 3);
    assertThat(new String(theirs, hello, end - hello, StandardCharsets.ISO_8859_1))
        .as("the application protocols on offer")
        .contains("\u000c/yamux/1.0.0")
        .contains("\u0006libp2p");

    try (Host host = Replays.host("/tls/1.0.0");
        Played played = Played.connect(host, true)) {
      played.send(theirs, 0, end);

      assertThat(played.read(hello)).isEqualTo(Arrays.copyOf(theirs, hello));
      byte[] answer = played.readRecord();
      assertThat(answer[0]).as("the first record").isEqualTo(TLS_HANDSHAKE);
      assertThat(answer[TLS_HEADER]).as("its message").isEqualTo(SERVER_HELLO);
      byte[] next = played.readRecord();
      if (next[0] == TLS_CHANGE_CIPHER_SPEC) { // for old middleboxes (RFC 8446, appendix D.4)
        next = played.readRecord();
      }
      assertThat(next[0]).as("the rest, encrypted").isEqualTo(TLS_APPLICATION_DATA);
    }
  }

  /** The other side of a connection. */
  private record Played(Socket socket, CompletableFuture<Connection> connection)
      implements AutoCloseable {
    static Played connect(Host host, boolean theyDial) throws Exception {
      CompletableFuture<Connection> connection = new CompletableFuture<>();
      Replays.onConnected(host, connection::complete);
      Socket socket;
      if (theyDial) {
        socket = new Socket();
        socket.connect(Replays.socketAddress(host), PATIENCE_MILLIS);
      } else {
        try (ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
          listener.setSoTimeout(PATIENCE_MILLIS);
          host.connect(Replays.multiaddr(listener.getLocalPort()));
          socket = listener.accept();
        }
      }
      socket.setSoTimeout(PATIENCE_MILLIS);
      return new Played(socket, connection);
    }

    void send(byte[] bytes, int from, int to) throws IOException {
      OutputStream out = socket.getOutputStream();
      out.write(bytes, from, to - from);
      out.flush();
    }

    /** A TLS record with its header. */
    byte[] readRecord() throws IOException {
      byte[] header = read(TLS_HEADER);
      byte[] content = read(Short.toUnsignedInt(ByteBuffer.wrap(header).getShort(3)));
      return ByteBuffer.allocate(header.length + content.length).put(header).put(content).array();
    }

    byte[] read(int bytes) throws IOException {
      return socket.getInputStream().readNBytes(bytes);
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }
}
