package io.grpcstream;

import static io.grpcstream.Hosts.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.ManagedChannel;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.Limits;
import io.grpcstream.libp2p.Stream;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.socket.DuplexChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A reader of plain streams that does not read makes the writer's channel unwritable.
 *
 * <h2>The bound</h2>
 *
 * What a writer that asks {@code isWritable()} before each write gives to a stream beyond what the
 * reader has read is at most
 *
 * <ul>
 *   <li>the <b>yamux window</b>, 256 KiB at the start (spec) and 16 MiB at most ({@link
 *       Limits#streamWindow()}); it grows only when the reader reads. Socket buffers, records and
 *       the connection's queue hold parts of it and add nothing, and a stream whose window is used
 *       up is unwritable, whatever its own queue holds;
 *   <li>the channel's <b>queue</b> while the window lasts, up to Netty's high water mark of 64 KiB,
 *       and the write that passes it.
 * </ul>
 */
@Timeout(120)
class StreamBackPressureTest {
  private static final String BULK = "/test/bulk/1.0.0";
  private static final int WINDOW = 256 << 10;
  private static final int WRITE_BYTES = 10_000;
  private static final int ROUNDS = 20;

  /** Fits no buffer's size. */
  private static final int PERIOD = 251;

  /** What every stream carries, again and again: the bytes from any position of the stream on. */
  private static final byte[] PATTERN = new byte[PERIOD + WINDOW];

  static {
    for (int i = 0; i < PATTERN.length; i++) {
      PATTERN[i] = (byte) (i % PERIOD);
    }
  }

  private final Hosts hosts = new Hosts();
  private final Queue<Reader> readers = new ConcurrentLinkedQueue<>();

  @AfterEach
  void close() {
    hosts.close();
  }

  @ParameterizedTest(name = "{0}, {1} streams")
  @CsvSource({
    Hosts.TCP + ",1",
    Hosts.TCP + ",100",
    Hosts.MEMORY + ",1",
    Hosts.MEMORY + ",100",
  })
  void readerThatDoesNotReadStopsTheWriter(String address, int streams) {
    Limits limits =
        Limits.builder().inboundStreamsPerProtocol(128).outboundStreamsPerProtocol(128).build();
    Host server = hosts.start(builder -> builder.listen(address).limits(limits));
    Host client = hosts.start(builder -> builder.limits(limits));
    GrpcStream grpc = GrpcStream.builder().addService(Echo.service()).build().serve();
    ManagedChannel echo = GrpcStream.wrapClient(Hosts.open(client, server, grpc.handler()));
    server.handle(
        BULK,
        stream -> {
          stream.channel().config().setAutoRead(false);
          Reader reader = new Reader(stream);
          stream.channel().pipeline().addLast(reader);
          readers.add(reader);
        });
    List<Writer> writers = new ArrayList<>();
    for (int i = 0; i < streams; i++) {
      Writer writer = new Writer(await(client.newStream(Hosts.address(server), BULK)));
      writers.add(writer);
      writer.stream.channel().pipeline().addLast(writer);
    }
    assertThat(client.connections()).hasSize(1);

    Runnable roundTrip =
        () -> {
          assertThat(Echo.unary(echo, "still there?")).isEqualTo("still there?");
          await(client.ping(server.peerId()));
        };
    List<List<Long>> seen = new ArrayList<>(List.of(List.of()));
    Hosts.eventually(
        "writers stop",
        () -> {
          roundTrip.run();
          seen.add(given(writers));
          return writers.stream().noneMatch(writer -> writer.stream.channel().isWritable())
              && seen.get(seen.size() - 1).equals(seen.get(seen.size() - 2));
        });
    List<Long> stopped = given(writers);
    for (int i = 0; i < ROUNDS; i++) {
      roundTrip.run();
    }
    assertThat(given(writers)).as("given to the streams, some rounds later").isEqualTo(stopped);
    assertThat(readers).hasSize(streams).allMatch(reader -> reader.received == 0);
    long bound = (long) WINDOW + WriteBufferWaterMark.DEFAULT.high() + WRITE_BYTES;
    System.out.printf(
        "back-pressure, plain streams, %s, %d streams: %,d bytes in all, at most %,d a stream,"
            + " bound %,d%n",
        address,
        streams,
        stopped.stream().mapToLong(Long::longValue).sum(),
        stopped.stream().mapToLong(Long::longValue).max().orElseThrow(),
        bound);
    assertThat(stopped).allMatch(bytes -> bytes >= WINDOW && bytes <= bound);

    long end = 3L * WINDOW;
    writers.forEach(writer -> writer.end = end);
    readers.forEach(reader -> reader.stream.channel().config().setAutoRead(true));
    readers.forEach(reader -> assertThat(await(reader.done)).isEqualTo(end));
    await(grpc.shutdown(Duration.ZERO));
  }

  private static List<Long> given(List<Writer> writers) {
    return writers.stream().map(writer -> writer.given).toList();
  }

  /** Writes for as long as the channel is writable. */
  private static final class Writer extends ChannelInboundHandlerAdapter {
    private final Stream stream;
    private volatile long given;
    private volatile long end = Long.MAX_VALUE;
    private boolean ended;

    Writer(Stream stream) {
      this.stream = stream;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
      context.channel().eventLoop().execute(() -> write(context));
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
      write(context);
    }

    private void write(ChannelHandlerContext context) {
      while (context.channel().isWritable() && !ended) {
        int bytes = (int) Math.min(WRITE_BYTES, end - given);
        ByteBuf buffer = context.alloc().buffer(bytes);
        buffer.writeBytes(PATTERN, (int) (given % PERIOD), bytes);
        given += bytes;
        ended = given == end;
        context.writeAndFlush(buffer);
      }
      if (ended) {
        ((DuplexChannel) stream.channel()).shutdownOutput();
      }
    }
  }

  /** Checks what arrives. */
  private static final class Reader extends ChannelInboundHandlerAdapter {
    private final Stream stream;
    private final CompletableFuture<Long> done = new CompletableFuture<>();
    private volatile long received;

    Reader(Stream stream) {
      this.stream = stream;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      ByteBuf buffer = (ByteBuf) message;
      try {
        byte[] bytes = new byte[buffer.readableBytes()];
        buffer.readBytes(bytes);
        int from = (int) (received % PERIOD);
        if (!Arrays.equals(bytes, 0, bytes.length, PATTERN, from, from + bytes.length)) {
          done.completeExceptionally(new AssertionError("other bytes after byte " + received));
        }
        received += bytes.length;
      } finally {
        buffer.release();
      }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      done.completeExceptionally(cause);
      context.close();
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
      done.complete(received);
    }
  }
}
