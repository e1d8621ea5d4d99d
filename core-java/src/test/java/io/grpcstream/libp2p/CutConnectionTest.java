package io.grpcstream.libp2p;

import static io.grpcstream.libp2p.RawPeer.MULTISTREAM;
import static io.grpcstream.libp2p.RawPeer.multistream;
import static io.grpcstream.libp2p.TestHosts.ECHO;
import static io.grpcstream.libp2p.TestHosts.await;
import static io.grpcstream.libp2p.TestHosts.echo;
import static io.grpcstream.libp2p.TestHosts.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpcstream.libp2p.crypto.PrivateKey;
import io.grpcstream.libp2p.mux.yamux.Frame;
import io.grpcstream.libp2p.security.tls.RawCertificate;
import io.grpcstream.libp2p.security.tls.RawTls;
import java.io.IOException;
import java.net.Socket;
import java.util.Arrays;
import java.util.function.Function;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A connection that is lost is nobody's fault, wherever in the peer's bytes it is cut. */
class CutConnectionTest {
  private final LogLines log = new LogLines();
  private final TestHosts hosts = new TestHosts();

  @AfterEach
  void close() {
    hosts.close();
    log.close();
  }

  /** What an honest peer had sent of what it was about to send. */
  enum Cut {
    INSIDE_THE_LENGTH_OF_A_RECORD(peer -> new byte[] {1}),
    INSIDE_A_RECORD(peer -> half(peer.sealed(Frame.data(0, 1, 1000).bytes()))),
    INSIDE_THE_TAG_OF_A_RECORD(peer -> allButOne(peer.sealed(Frame.data(0, 1, 1000).bytes()))),
    INSIDE_A_YAMUX_HEADER(peer -> peer.sealed(Arrays.copyOf(Frame.data(0, 1, 9).bytes(), 5))),
    INSIDE_YAMUX_DATA(peer -> peer.sealed(half(Frame.data(0, 1, 1000).bytes()))),
    INSIDE_A_MULTISTREAM_MESSAGE(
        peer ->
            peer.sealed(
                Frame.data(Frame.SYN, 3, allButOne(multistream(MULTISTREAM, ECHO))).bytes())),
    BETWEEN_RECORDS(peer -> new byte[0]);

    private final Function<RawPeer, byte[]> sent;

    Cut(Function<RawPeer, byte[]> sent) {
      this.sent = sent;
    }
  }

  private static byte[] half(byte[] bytes) {
    return Arrays.copyOf(bytes, bytes.length / 2);
  }

  private static byte[] allButOne(byte[] bytes) {
    return Arrays.copyOf(bytes, bytes.length - 1);
  }

  @ParameterizedTest
  @EnumSource(Cut.class)
  void aCutIsALossAndNoViolation(Cut cut) {
    Host server = hosts.start(builder -> builder.listen(TestHosts.TCP));
    try (RawPeer peer = RawPeer.dialAndSecure(server).open(1, ECHO)) {
      peer.send(cut.sent.apply(peer));
    }
    endsWithoutARefusal(server);
  }

  @ParameterizedTest
  @EnumSource(TlsProvider.class)
  void aCutInsideATlsRecordIsALossAndNoViolation(TlsProvider provider) throws IOException {
    Host server =
        hosts.start(
            builder -> builder.listen(TestHosts.TCP).security("/tls/1.0.0").tlsProvider(provider));
    RawTls tls = new RawTls(new RawCertificate(PrivateKey.generateEd25519()));
    try (RawPeer peer = RawPeer.dial(server).agreeOn("/tls/1.0.0");
        SSLSocket secured = tls.over(peer.socket, true)) {
      secured.startHandshake();
      assertThat(secured.getInputStream().read()).isZero(); // The first frame: connected.
      // The header of a TLS record and the beginning of what it announces.
      peer.send(new byte[] {23, 3, 3, 4, 0, 1, 2, 3, 4, 5});
      endWithoutFarewell(peer.socket);
      endsWithoutARefusal(server);
    }
  }

  /** Ends the output alone: closing the TLS socket would send more. */
  private static void endWithoutFarewell(Socket socket) throws IOException {
    socket.shutdownOutput();
  }

  private void endsWithoutARefusal(Host server) {
    eventually(
        () -> "ended, has " + server.stats(),
        () -> server.connections().isEmpty() && server.stats().inboundConnections() == 0);
    assertThat(server.stats().refusals()).isEmpty();
    assertThat(log.lines()).noneMatch(line -> line.contains("PROTOCOL_VIOLATION"));
  }

  @Test
  @DisplayName("A connection that ends for want of memory is counted and logged")
  void connectionEndsForWantOfMemory() {
    Host server = hosts.start();
    Host client = hosts.start(builder -> builder);
    Stream stream = await(client.newStream(TestHosts.address(server), ECHO));
    assertThat(echo(stream, "x")).isEqualTo("x");

    var pipeline = stream.channel().parent().pipeline();
    stream
        .channel()
        .eventLoop()
        .execute(() -> pipeline.fireExceptionCaught(new OutOfMemoryError("direct, 4 of 4 MiB")));

    await(stream.closed());
    eventually("ended", () -> client.connections().isEmpty());
    eventually("counted", () -> client.stats().refusals(Refusal.OUT_OF_MEMORY) == 1);
    log.await("OUT_OF_MEMORY", server.peerId(), "direct, 4 of 4 MiB");
  }
}
