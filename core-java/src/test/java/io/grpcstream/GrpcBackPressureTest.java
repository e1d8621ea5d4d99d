package io.grpcstream;

import static io.grpcstream.Hosts.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.ManagedChannel;
import io.grpcstream.Flood.Pump;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.Limits;
import io.grpcstream.netty.GrpcWindows;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A receiver that stops asking for messages stops the sender, in both directions, and costs both
 * sides a bounded number of bytes.
 *
 * <h2>The bound</h2>
 *
 * What a sender gives to gRPC beyond what the receiver has asked for is, for one libp2p stream,
 *
 * <ul>
 *   <li>in the <b>HTTP/2 window</b>, at most W bytes of the stream's own framing (5 bytes a message
 *       included): they left the sender's gRPC and stand somewhere between there and the receiver's
 *       gRPC. gRPC's transport reads whatever arrives, so yamux windows, records, socket and
 *       channel buffers hold some of these same bytes and add nothing. The receiver's gRPC, where
 *       they all end up, gives no window back for what was not asked for. W is the call's window:
 *       64 KiB at the start, and with what the reader takes in a second never more than 8 MiB;
 *   <li>in the <b>sender's queue</b>, less than 32 KiB, where {@code isReady()} becomes false, and
 *       the one message that was given while there was less.
 * </ul>
 *
 * So the figure is W + 32 KiB + one message: 8,437,765 bytes for messages of 16 KiB. For n streams
 * it is n times as much: each is an HTTP/2 connection of its own.
 */
@Timeout(120)
class GrpcBackPressureTest {
  /** From where on gRPC's {@code isReady()} is false: AbstractStream.DEFAULT_ONREADY_THRESHOLD. */
  private static final int READY_BYTES = 32 << 10;

  /** What a call's window grows to. */
  private static final int MAX_GROWN_WINDOW = 8 << 20;

  private static final int FIXED_WINDOW = 65_535;
  private static final int PREFIX_BYTES = 5;
  private static final int PREFETCH = 3;

  /** Rounds from one peer to the other and back, in which a sender that still sends would. */
  private static final int ROUNDS = 20;

  private final Hosts hosts = new Hosts();
  private final Flood flood = new Flood(PREFETCH);

  @AfterEach
  void close() {
    hosts.close();
  }

  /** What one sender may have given to gRPC, with messages' prefixes, when nobody asks for more. */
  private static long bound(int window, int asked) {
    long message = PREFIX_BYTES + Flood.MESSAGE_BYTES;
    return asked * message + window + READY_BYTES + message;
  }

  static Stream<Arguments> variants() {
    return Stream.of(Hosts.TCP, Hosts.MEMORY)
        .flatMap(
            address ->
                Stream.of(false, true)
                    .flatMap(fixed -> Stream.of(1, 100).map(n -> Arguments.of(address, n, fixed))));
  }

  @ParameterizedTest(name = "{0}, {1} streams, fixed window: {2}")
  @MethodSource("variants")
  void clientThatStopsReadingStopsTheServer(String address, int streams, boolean fixed) {
    Peers peers = new Peers(address, streams, fixed);
    for (ManagedChannel channel : peers.channels) {
      flood.serverStream(channel);
    }
    stopsAndResumes("server streaming", peers, List.of());
  }

  @ParameterizedTest(name = "{0}, {1} streams, fixed window: {2}")
  @MethodSource("variants")
  void serverThatStopsReadingStopsTheClient(String address, int streams, boolean fixed) {
    Peers peers = new Peers(address, streams, fixed);
    List<CompletableFuture<Void>> answers = new ArrayList<>();
    for (ManagedChannel channel : peers.channels) {
      answers.add(flood.clientStream(channel));
    }
    stopsAndResumes("client streaming", peers, answers);
  }

  private void stopsAndResumes(String kind, Peers peers, List<CompletableFuture<Void>> answers) {
    int streams = peers.channels.size();
    Hosts.eventually(
        "all calls are under way",
        () ->
            flood.pumps().size() == streams
                && flood.drains().size() == streams
                && flood.drains().stream().allMatch(drain -> drain.received() == PREFETCH));
    List<Integer> stopped = untilTheyStop(peers);

    peers.roundTrips(ROUNDS);
    assertThat(sent()).as("given to gRPC, some rounds later").isEqualTo(stopped);
    assertThat(flood.pumps()).noneMatch(Pump::isReady);
    assertThat(flood.drains()).allMatch(drain -> drain.received() == PREFETCH);
    long bound = bound(peers.window, PREFETCH);
    long most = 0;
    long all = 0;
    for (int messages : stopped) {
      long bytes = (long) messages * (PREFIX_BYTES + Flood.MESSAGE_BYTES);
      most = Math.max(most, bytes);
      all += bytes;
    }
    System.out.printf(
        "back-pressure, %s, %s, %d streams, window %,d: %,d bytes in all, at most %,d a stream,"
            + " bound %,d%n",
        kind, peers.address, streams, peers.window, all, most, bound);
    assertThat(most).isLessThanOrEqualTo(bound);

    int more = 40;
    flood.pumps().forEach(pump -> pump.endAfter(pump.sent() + more));
    flood.drains().forEach(drain -> drain.request(Integer.MAX_VALUE));
    List<Integer> received = new ArrayList<>();
    flood.drains().forEach(drain -> received.add(await(drain.done())));
    answers.forEach(Hosts::await);
    assertThat(received)
        .containsExactlyInAnyOrderElementsOf(stopped.stream().map(n -> n + more).toList());
  }

  /** Waits until no sender is ready and none sends during some round trips. */
  private List<Integer> untilTheyStop(Peers peers) {
    List<List<Integer>> seen = new ArrayList<>(List.of(List.of()));
    Hosts.eventually(
        "senders stop",
        () -> {
          peers.roundTrips(3);
          seen.add(sent());
          return flood.pumps().stream().noneMatch(Pump::isReady)
              && seen.get(seen.size() - 1).equals(seen.get(seen.size() - 2));
        });
    return seen.get(seen.size() - 1);
  }

  private List<Integer> sent() {
    return flood.pumps().stream().map(Pump::sent).toList();
  }

  /** Two hosts with one connection, many gRPC channels on it, and one for round trips. */
  private final class Peers {
    private final String address;
    private final int window;
    private final Host client;
    private final Host server;
    private final List<ManagedChannel> channels = new ArrayList<>();
    private final ManagedChannel echo;

    Peers(String address, int streams, boolean fixed) {
      this.address = address;
      window = fixed ? FIXED_WINDOW : MAX_GROWN_WINDOW;
      Limits limits =
          Limits.builder().inboundStreamsPerProtocol(128).outboundStreamsPerProtocol(128).build();
      server = hosts.start(builder -> builder.listen(address).limits(limits));
      client = hosts.start(builder -> builder.limits(limits));
      GrpcStream grpc =
          GrpcStream.builder()
              .addService(flood.service())
              .addService(Echo.service())
              .configureServer(b -> fix(fixed, () -> GrpcWindows.fix(b, FIXED_WINDOW)))
              .configureClient(b -> fix(fixed, () -> GrpcWindows.fix(b, FIXED_WINDOW)))
              .build()
              .serve();
      for (int i = 0; i < streams; i++) {
        channels.add(grpc.client(Hosts.open(client, server, grpc.handler())));
      }
      echo = grpc.client(Hosts.open(client, server, grpc.handler()));
      assertThat(client.connections()).hasSize(1);
    }

    private static void fix(boolean fixed, Runnable fix) {
      if (fixed) {
        fix.run();
      }
    }

    /** Calls and pings on other streams of the same connection, which all are answered. */
    void roundTrips(int count) {
      for (int i = 0; i < count; i++) {
        assertThat(Echo.unary(echo, "still there? " + i)).isEqualTo("still there? " + i);
        await(client.ping(server.peerId()));
      }
    }
  }
}
