package io.grpcstream;

import static io.grpcstream.Hosts.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.ManagedChannel;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.mux.yamux.YamuxConfig;
import io.grpcstream.libp2p.protocol.ping.PingProtocol;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Streams with little to say are answered while others fill the connection.
 *
 * <h2>The bound</h2>
 *
 * What leaves between a request's arrival and its answer: the answer of a handler on the event loop
 * is ready when the session ends its turn, so it waits for at most one frame of each bulk stream.
 * gRPC sends in a task of its own, and the turns before it may be two (the end of the read, and one
 * that was scheduled already). A turn makes at most 1 MiB of frames and the one that passes it. In
 * frames of full size: one of each bulk stream, and for gRPC 34 more. A secure channel changes
 * nothing in this, however often it makes the connection unwritable and writable again.
 */
@Timeout(120)
class FairnessTest {
  private static final String BULK = "/test/bulk/1.0.0";
  private static final int FRAME = YamuxConfig.DEFAULT_FRAME_DATA;
  private static final int FRAMES_OF_A_TURN = (1 << 20) / FRAME + 1;
  private static final int CALLS = 10;
  private static final int ROUNDS = 10;

  private final Hosts hosts = new Hosts();
  private final AtomicLong bulkBytes = new AtomicLong();

  @AfterEach
  void close() {
    hosts.close();
  }

  @ParameterizedTest(name = "{0}, {1}, {2} bulk streams")
  @CsvSource({
    Hosts.TCP + ",/noise,1",
    Hosts.TCP + ",/noise,8",
    Hosts.TCP + ",/tls/1.0.0,1",
    Hosts.TCP + ",/tls/1.0.0,8",
    Hosts.MEMORY + ",/noise,1",
    Hosts.MEMORY + ",/noise,8",
    Hosts.MEMORY + ",/tls/1.0.0,1",
    Hosts.MEMORY + ",/tls/1.0.0,8",
  })
  @DisplayName("Pings and calls are answered while bulk streams saturate")
  void pingsAndCallsBesideBulk(String address, String security, int bulkStreams) {
    Host server = hosts.start(builder -> builder.listen(address).security(security));
    Host client = hosts.start(builder -> builder.security(security));
    GrpcStream grpc =
        GrpcStream.builder().addService(Echo.service()).directExecutor().build().serve();
    List<FrameCounter> counters = new CopyOnWriteArrayList<>();
    Stream echoStream =
        Hosts.open(
            client,
            server,
            stream -> {
              FrameCounter.below(stream.channel()).thenAccept(counters::add);
              grpc.handler().onStream(stream);
            });
    ManagedChannel echo = GrpcStream.wrapClient(echoStream);
    Stream ping = await(client.newStream(server.peerId(), PingProtocol.ID));
    String text = "is there anyone, in spite of all these other bytes? ".repeat(10);
    assertThat(Echo.unary(echo, text)).isEqualTo(text);
    await(PingProtocol.ping(ping));
    FrameCounter counter = counters.get(0);

    server.handle(BULK, stream -> stream.channel().pipeline().addLast(new Saturating()));
    List<Stream> bulk = new ArrayList<>();
    for (int i = 0; i < bulkStreams; i++) {
      Stream stream = await(client.newStream(server.peerId(), BULK));
      stream.channel().pipeline().addLast(new Counting());
      stream.channel().read();
      bulk.add(stream);
    }
    long saturated = 1L << 20;
    Hosts.eventually("bulk flows", () -> bulkBytes.get() > saturated);

    counter.reset(PingProtocol.PAYLOAD_BYTES);
    long before = bulkBytes.get();
    for (int i = 0; i < CALLS; i++) {
      await(PingProtocol.ping(ping));
    }
    long pingBytes = bulkBytes.get() - before;
    long pings = counter.answers();
    double framesAtPing = (double) counter.mostBytesBetween() / FRAME;

    double mostAtCall = 2 * FRAMES_OF_A_TURN + bulkStreams;
    double framesAtCall = Double.MAX_VALUE;
    long callBytes = 0;
    // While another program has the processor, more turns than two may have been scheduled.
    for (int round = 0; round < ROUNDS && framesAtCall > mostAtCall; round++) {
      counter.reset(text.length());
      before = bulkBytes.get();
      for (int i = 0; i < CALLS; i++) {
        assertThat(Echo.unary(echo, text)).isEqualTo(text);
      }
      callBytes = bulkBytes.get() - before;
      framesAtCall = (double) counter.mostBytesBetween() / FRAME;
    }
    System.out.printf(
        "fairness, %s, %s, %d bulk streams: at most %.1f frames before a ping's answer, %.1f before"
            + " a call's; bulk bytes received for each: %,d, %,d%n",
        address,
        security,
        bulkStreams,
        framesAtPing,
        framesAtCall,
        pingBytes / CALLS,
        callBytes / CALLS);
    assertThat(pings).isGreaterThanOrEqualTo(CALLS);
    assertThat(counter.answers()).isEqualTo(CALLS);
    assertThat(pingBytes).as("bulk bytes meanwhile").isPositive();
    assertThat(framesAtPing).isLessThanOrEqualTo(bulkStreams);
    assertThat(framesAtCall).isLessThanOrEqualTo(mostAtCall);

    bulk.forEach(Stream::reset);
    await(grpc.shutdown(Duration.ZERO));
  }

  /** Writes all the time. */
  private static final class Saturating extends ChannelInboundHandlerAdapter {
    private static final ByteBuf BYTES =
        Unpooled.unreleasableBuffer(Unpooled.directBuffer(64 << 10).writeZero(64 << 10));

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
      write(context);
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
      write(context);
    }

    private static void write(ChannelHandlerContext context) {
      while (context.channel().isWritable()) {
        context.writeAndFlush(BYTES.duplicate());
      }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      context.close();
    }
  }

  private final class Counting extends ChannelInboundHandlerAdapter {
    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      ByteBuf bytes = (ByteBuf) message;
      bulkBytes.addAndGet(bytes.readableBytes());
      bytes.release();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      context.close();
    }
  }
}
