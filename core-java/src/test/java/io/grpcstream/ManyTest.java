package io.grpcstream;

import static io.grpcstream.Hosts.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.stub.ClientCalls;
import io.grpcstream.libp2p.Connection;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.HostStats;
import io.grpcstream.libp2p.Limits;
import io.grpcstream.libp2p.Stream;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Many connections one after another, and many streams at once, leave nothing behind. */
@Timeout(180)
class ManyTest {
  private static final int MANY = 1_000;

  /** 900 connections whose least trace is kept, say 10 KiB each, would be 9 MB. */
  private static final int MOST_GROWTH = 4 << 20;

  private final Hosts hosts = new Hosts();
  private final GrpcStream grpc =
      GrpcStream.builder().addService(Echo.service()).directExecutor().build().serve();

  @AfterEach
  void close() {
    await(grpc.shutdown(Duration.ZERO));
    hosts.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {Hosts.TCP, Hosts.MEMORY})
  void connectionsInARowLeaveNothingBehind(String address) {
    Host server = hosts.start(address);
    Host client = hosts.start(builder -> builder);
    server.handle(Wire.PROTOCOL, grpc.handler());
    Set<Long> threads = Set.of();
    long[] nanos = new long[MANY];
    long early = 0;
    for (int i = 0; i < MANY; i++) {
      long start = System.nanoTime();
      Connection connection = await(client.connect(Hosts.address(server)));
      ManagedChannel channel = GrpcStream.wrapClient(await(connection.newStream(Wire.PROTOCOL)));
      assertThat(Echo.unary(channel, "call " + i)).isEqualTo("call " + i);
      channel.shutdownNow();
      connection.close();
      await(connection.closed());
      nanos[i] = System.nanoTime() - start;
      if (i == MANY / 10) {
        empty(server, client);
        early = usedHeap();
        threads = threads();
      }
    }
    empty(server, client);
    long late = heapOnceSettled(early);
    Set<Long> grown = threads();
    grown.removeAll(threads);
    System.out.printf(
        "connections in a row, %s: heap after garbage collection %,d KiB at %d, %,d KiB at %d;"
            + " median of the first 200 %,d us, of the last 200 %,d us%n",
        address,
        early >> 10,
        MANY / 10,
        late >> 10,
        MANY,
        median(nanos, 0, 200),
        median(nanos, MANY - 200, MANY));
    assertThat(late - early).as("growth of the heap").isLessThan(MOST_GROWTH);
    assertThat(grown).as("new threads").isEmpty();
    assertThat(server.stats().refusals()).isEqualTo(Map.of());
    assertThat(client.stats().refusals()).isEqualTo(Map.of());
  }

  @ParameterizedTest
  @ValueSource(strings = {Hosts.TCP, Hosts.MEMORY})
  void streamsAtOnceAllAnswerAndLeaveNothingBehind(String address) {
    // As by default, with heap enough for so many streams.
    Limits limits =
        Limits.builder()
            .inboundStreams(2 * MANY)
            .outboundStreams(2 * MANY)
            .inboundStreamsPerPeer(MANY + 100)
            .outboundStreamsPerPeer(MANY + 100)
            .inboundStreamsPerProtocol(MANY)
            .outboundStreamsPerProtocol(MANY)
            .build();
    Host server = hosts.start(builder -> builder.listen(address).limits(limits));
    Host client = hosts.start(builder -> builder.limits(limits));
    server.handle(Wire.PROTOCOL, grpc.handler());
    Connection connection = await(client.connect(Hosts.address(server)));
    atOnce(connection); // Whatever is made once is there after this.
    empty(server, client);
    long early = usedHeap();
    long openNanos = atOnce(connection);
    empty(server, client);
    long late = heapOnceSettled(early);
    System.out.printf(
        "%d streams at once, %s: opened and called in %,d ms; heap after garbage collection"
            + " %,d KiB before, %,d KiB afterwards%n",
        MANY, address, TimeUnit.NANOSECONDS.toMillis(openNanos), early >> 10, late >> 10);
    assertThat(late - early).as("growth of the heap").isLessThan(MOST_GROWTH);
    assertThat(client.connections()).hasSize(1);
    assertThat(server.stats().refusals()).isEqualTo(Map.of());
    assertThat(client.stats().refusals()).isEqualTo(Map.of());
  }

  /** Opens all streams, makes a call on each, and closes them; returns the time up to the close. */
  private static long atOnce(Connection connection) {
    final long start = System.nanoTime();
    List<CompletableFuture<Stream>> opened = new ArrayList<>();
    for (int i = 0; i < MANY; i++) {
      opened.add(connection.newStream(Wire.PROTOCOL).toCompletableFuture());
    }
    List<ManagedChannel> channels = new ArrayList<>();
    opened.forEach(stream -> channels.add(GrpcStream.wrapClient(await(stream))));
    List<Echo.Responses> answers = new ArrayList<>();
    for (int i = 0; i < MANY; i++) {
      Echo.Responses responses = new Echo.Responses();
      ClientCalls.asyncUnaryCall(
          channels.get(i).newCall(Echo.UNARY, CallOptions.DEFAULT), "call " + i, responses);
      answers.add(responses);
    }
    for (int i = 0; i < MANY; i++) {
      assertThat(next(answers.get(i))).isEqualTo("call " + i);
    }
    final long end = System.nanoTime();
    assertThat(connection.streams())
        .hasSizeGreaterThanOrEqualTo(MANY); // Identify may be there, too.
    channels.forEach(ManagedChannel::shutdown);
    return end - start;
  }

  private static String next(Echo.Responses responses) {
    try {
      return responses.next();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** Waits until neither host has a stream, and the server only connections the client has. */
  private static void empty(Host server, Host client) {
    Hosts.eventually(
        "nothing is left",
        () -> {
          HostStats s = server.stats();
          HostStats c = client.stats();
          return s.inboundConnections() == client.connections().size()
              && server.connections().size() == client.connections().size()
              && c.outboundConnections() == client.connections().size()
              && s.pendingInboundConnections() == 0
              && s.inboundStreams() + s.outboundStreams() == 0
              && c.inboundStreams() + c.outboundStreams() == 0;
        });
  }

  private static Set<Long> threads() {
    Set<Long> ids = new HashSet<>();
    for (long id : ManagementFactory.getThreadMXBean().getAllThreadIds()) {
      ids.add(id);
    }
    return ids;
  }

  /** The heap once event loops and executors, which may be late, have done what they have left. */
  private static long heapOnceSettled(long early) {
    long[] late = new long[1];
    Hosts.eventually(
        () ->
            "the heap as small as before, is %,d KiB, was %,d"
                .formatted(late[0] >> 10, early >> 10),
        () -> (late[0] = usedHeap()) - early < MOST_GROWTH);
    return late[0];
  }

  /** The least of several collections: finalizers and soft caches may take more than one. */
  private static long usedHeap() {
    long least = Long.MAX_VALUE;
    for (int i = 0; i < 4; i++) {
      System.gc();
      least = Math.min(least, ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed());
    }
    return least;
  }

  private static long median(long[] nanos, int from, int to) {
    long[] part = Arrays.copyOfRange(nanos, from, to);
    Arrays.sort(part);
    return TimeUnit.NANOSECONDS.toMicros(part[part.length / 2]);
  }
}
