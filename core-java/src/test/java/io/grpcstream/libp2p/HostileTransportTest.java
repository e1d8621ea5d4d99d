package io.grpcstream.libp2p;

import static io.grpcstream.libp2p.RawPeer.MULTISTREAM;
import static io.grpcstream.libp2p.RawPeer.multistream;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpcstream.libp2p.crypto.PrivateKey;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Peers that break, flood or hold up the first negotiation of a connection, over TCP. */
class HostileTransportTest {
  private static final UnaryOperator<Limits.Builder> HASTY =
      limits -> limits.acceptTimeout(Duration.ofMillis(400));

  private Siege siege;

  @AfterEach
  void close() {
    siege.close();
  }

  @Test
  @DisplayName("Garbage instead of multistream closes that connection")
  void garbageInsteadOfMultistream() {
    siege = new Siege();
    byte[] request = "GET /index.html HTTP/1.1\r\n".repeat(9).getBytes(StandardCharsets.US_ASCII);
    refusedFor(request, "a message does not end in a newline: \"ET /index.html HTTP/1.1");
  }

  @Test
  @DisplayName("Another protocol in multistream's form closes that connection")
  void otherProtocolInMultistreamsForm() {
    siege = new Siege();
    refusedFor(multistream("/multistream/2.0.0"), "expected /multistream/1.0.0, got");
  }

  @Test
  @DisplayName("An oversized multistream message is refused by its length")
  void oversizedMultistreamMessage() {
    siege = new Siege();
    refusedFor(new byte[] {(byte) 0x81, 8}, "a message of 1,025 bytes, the limit is 1,024");
  }

  @Test
  @DisplayName("A huge multistream length is refused before its last byte")
  void hugeMultistreamLength() {
    siege = new Siege();
    byte[] length = {(byte) 0xff, (byte) 0xff};
    refusedFor(length, "the message length takes more than 2 bytes, the limit is 1,024");
  }

  @Test
  @DisplayName("A zero-length multistream message closes that connection")
  void zeroLengthMultistreamMessage() {
    siege = new Siege();
    refusedFor(new byte[1], "a message of zero length");
  }

  private void refusedFor(byte[] bytes, String reason) {
    try (RawPeer peer = RawPeer.dial(siege.server)) {
      peer.send(bytes);
      assertThat(peer.awaitClose()).isEmpty();
      siege.log.await("UPGRADE_FAILED", peer.address(), "negotiating security", reason);
    }
    assertThat(siege.refused(Refusal.UPGRADE_FAILED)).isEqualTo(1);
    siege.isOver();
  }

  @Test
  @DisplayName("A flood of unknown proposals ends after sixteen refusals")
  void floodOfUnknownProposals() {
    siege = new Siege();
    List<String> proposals = new ArrayList<>(List.of(MULTISTREAM));
    for (int i = 0; i < 10_000; i++) {
      proposals.add("/x/" + i);
    }
    try (RawPeer peer = RawPeer.dial(siege.server)) {
      peer.trySend(multistream(proposals.toArray(String[]::new)));
      byte[] answers = peer.awaitClose();
      // The end may be a reset, which can overtake the answers; there are never more of them.
      assertThat(answers.length)
          .isLessThanOrEqualTo(multistream(MULTISTREAM).length + 16 * multistream("na").length);
      siege.log.await(
          "UPGRADE_FAILED", peer.address(), "proposed 16 protocols that are not supported");
    }
    siege.isOver();
  }

  @Test
  void aPeerThatSaysNothingIsClosedAtTheDeadline() {
    siege = new Siege(HASTY);
    try (RawPeer peer = RawPeer.dial(siege.server)) {
      assertThat(peer.awaitClose()).isEmpty();
      siege.log.await("UPGRADE_FAILED", peer.address(), "within 400 ms");
    }
    siege.isOver();
  }

  @Test
  @DisplayName("A peer that drips byte by byte is closed at the deadline")
  void peerThatDripsByteByByte() throws IOException {
    siege = new Siege(HASTY);
    byte[] bytes = multistream(MULTISTREAM, "/" + "x".repeat(1000));
    try (RawPeer peer = RawPeer.dial(siege.server)) {
      int dripped = drip(peer, bytes);
      assertThat(dripped).isPositive().isLessThan(bytes.length);
      siege.log.await("UPGRADE_FAILED", peer.address(), "within 400 ms");
    }
    siege.isOver();
  }

  /** Sends a byte each time the other side has been silent for 5 ms; how many until it closed. */
  private static int drip(RawPeer peer, byte[] bytes) throws IOException {
    peer.socket.setSoTimeout(5);
    for (int i = 0; i < bytes.length; i++) {
      if (!peer.trySend(new byte[] {bytes[i]})) {
        return i;
      }
      try {
        while (peer.socket.getInputStream().read() >= 0) {
          // An answer to the header.
        }
        return i;
      } catch (SocketTimeoutException e) {
        // Silent, and open: go on.
      } catch (IOException e) {
        return i;
      }
    }
    return bytes.length;
  }

  @Test
  @DisplayName("A socket cut in the middle of a message says how far it got")
  void socketCutInAMessage() {
    siege = new Siege();
    String address;
    try (RawPeer peer = RawPeer.dial(siege.server)) {
      address = peer.address();
      peer.send(new byte[] {20, '/', 'm', 'u'});
      TestHosts.eventually("accepted", () -> siege.server.stats().pendingInboundConnections() == 1);
    }
    siege.log.await("UPGRADE_FAILED", address, "negotiating security");
    siege.log.await("3 of 20 bytes of a message");
    siege.isOver();
  }

  @Test
  @DisplayName("Connections of one peer past the limit are closed, and the others stay")
  void connectionsPastAPeersLimit() {
    siege = new Siege(limits -> limits.connectionsPerPeer(2));
    PrivateKey key = PrivateKey.generateEd25519();
    try (RawPeer first = RawPeer.dial(siege.server, key).secured();
        RawPeer second = RawPeer.dial(siege.server, key).secured();
        RawPeer third = awaited(key, 2)) {
      third.secured().awaitClose();
      siege.log.await(
          "CONNECTIONS_PER_PEER", "limit of 2 connections with one peer reached", first.id());
      first.open(1, TestHosts.ECHO);
      second.open(1, TestHosts.ECHO);
    }
    assertThat(siege.refused(Refusal.CONNECTIONS_PER_PEER)).isEqualTo(1);
    siege.isOver();
  }

  private RawPeer awaited(PrivateKey key, int connections) {
    PeerId id = PeerId.of(key.publicKey());
    TestHosts.eventually("connected", () -> siege.server.connections(id).size() == connections);
    return RawPeer.dial(siege.server, key);
  }

  @Test
  @DisplayName("Unproven connections past the limit are closed at once")
  void unprovenConnectionsPastTheLimit() {
    siege = new Siege(limits -> limits.pendingInboundConnections(2));
    try (RawPeer first = RawPeer.dial(siege.server);
        RawPeer second = RawPeer.dial(siege.server)) {
      TestHosts.eventually("accepted", () -> siege.server.stats().pendingInboundConnections() == 2);
      try (RawPeer third = RawPeer.dial(siege.server)) {
        third.awaitClose();
        siege.log.await(
            "PENDING_CONNECTIONS",
            "limit of 2 pending inbound connections reached",
            third.socket.getLocalPort());
      }
      siege.honestStreamLives();
      first.secured().open(1, TestHosts.ECHO);
      second.secured().open(1, TestHosts.ECHO);
    }
    siege.isOver();
  }

  @Test
  void connectionsInAllPastTheLimitAreClosedAtOnce() {
    siege = new Siege(limits -> limits.connections(3));
    try (RawPeer first = RawPeer.dialAndSecure(siege.server).open(1, TestHosts.ECHO);
        RawPeer second = RawPeer.dialAndSecure(siege.server).open(1, TestHosts.ECHO);
        RawPeer third = RawPeer.dial(siege.server)) {
      third.awaitClose();
      siege.log.await("CONNECTIONS", "limit of 3 connections reached", third.socket.getLocalPort());
      first.open(3, TestHosts.ECHO);
      second.open(3, TestHosts.ECHO);
    }
    assertThat(siege.refused(Refusal.CONNECTIONS)).isEqualTo(1);
    siege.isOver();
  }
}
