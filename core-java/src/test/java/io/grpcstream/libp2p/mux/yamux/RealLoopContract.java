package io.grpcstream.libp2p.mux.yamux;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpcstream.libp2p.mux.MuxerListener;
import io.grpcstream.libp2p.mux.StreamChannel;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.handler.codec.FixedLengthFrameDecoder;
import io.netty.util.concurrent.Future;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.zip.CRC32;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What two sessions do over a real connection, whatever it is made of. */
@Timeout(60)
abstract class RealLoopContract {
  private final EventLoopGroup loops;
  private final UnpooledByteBufAllocator alloc = new UnpooledByteBufAllocator(false);
  private final CountDownLatch closed = new CountDownLatch(2);
  private volatile YamuxConfig config = YamuxConfig.defaults();
  private volatile java.util.function.Consumer<YamuxStreamChannel> onInbound = stream -> {};
  private Channel server;
  private YamuxSession dialer;
  private Channel connection;

  RealLoopContract(EventLoopGroup loops) {
    this.loops = loops;
  }

  /** A server that is not yet bound, with its channel type set. */
  abstract ServerBootstrap server();

  /** A client that is not yet connected, with its channel type set. */
  abstract Bootstrap client();

  /** Where to bind so that every test has an address of its own. */
  abstract SocketAddress anyAddress();

  @BeforeEach
  void connect() throws Exception {
    config =
        config.toBuilder()
            .maxInboundStreams(2000)
            .maxOutboundStreams(2000)
            .closeTimeout(Duration.ofSeconds(30))
            .build();
    server =
        server()
            .group(loops)
            .childOption(ChannelOption.ALLOCATOR, alloc)
            .childHandler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    channel.pipeline().addLast(new YamuxSession(false, config, new Listener()));
                  }
                })
            .bind(anyAddress())
            .sync()
            .channel();
    dialer = new YamuxSession(true, config, new Listener());
    connection =
        client()
            .group(loops)
            .option(ChannelOption.ALLOCATOR, alloc)
            .handler(dialer)
            .connect(server.localAddress())
            .sync()
            .channel();
  }

  @AfterEach
  void nothingIsLeft() throws Exception {
    dialer.close().sync();
    assertThat(closed.await(10, SECONDS)).as("both sessions have ended").isTrue();
    server.close().sync();
    loops.shutdownGracefully(0, 10, SECONDS).sync();
    assertThat(alloc.metric().usedHeapMemory() + alloc.metric().usedDirectMemory())
        .as("bytes that were not released")
        .isZero();
  }

  @Test
  @DisplayName("Random bulk both ways on many streams arrives byte for byte")
  void randomBulkOnManyStreams() throws Exception {
    ConcurrentLinkedQueue<Bulk> inbound = new ConcurrentLinkedQueue<>();
    onInbound =
        stream -> {
          Bulk bulk = new Bulk(-stream.streamId());
          inbound.add(bulk);
          stream.pipeline().addLast(bulk);
        };
    List<Bulk> outbound = new ArrayList<>();
    for (int i = 0; i < 16; i++) {
      Bulk bulk = new Bulk(2 * i + 1);
      outbound.add(bulk);
      // On the event loop: the other side writes first, and the handler must stand by then.
      connection
          .eventLoop()
          .submit(
              () ->
                  dialer
                      .openStream()
                      .addListener(
                          (Future<YamuxStreamChannel> opened) ->
                              opened.getNow().pipeline().addLast(bulk)))
          .sync();
    }
    for (Bulk bulk : outbound) {
      Bulk peer = null;
      long received = bulk.received.get(50, SECONDS);
      for (Bulk candidate : inbound) {
        if (candidate.seed == -bulk.seed) {
          peer = candidate;
        }
      }
      assertThat(peer).isNotNull();
      assertThat(received).isEqualTo(peer.sent.get(50, SECONDS));
      assertThat(peer.received.get(50, SECONDS)).isEqualTo(bulk.sent.get(50, SECONDS));
    }
  }

  @Test
  void aThousandStreamsAtOnceEachGetTheirAnswer() throws Exception {
    onInbound =
        stream ->
            stream
                .pipeline()
                .addLast(
                    new ChannelInboundHandlerAdapter() {
                      @Override
                      public void channelRead(ChannelHandlerContext ctx, Object message) {
                        ctx.writeAndFlush(message);
                      }
                    });
    List<CompletableFuture<Long>> answers = new ArrayList<>();
    for (int i = 0; i < 1000; i++) {
      long number = i;
      CompletableFuture<Long> answer = new CompletableFuture<>();
      answers.add(answer);
      dialer
          .openStream()
          .addListener(
              (Future<YamuxStreamChannel> opened) -> {
                YamuxStreamChannel stream = opened.getNow();
                stream
                    .pipeline()
                    .addLast(
                        new FixedLengthFrameDecoder(8),
                        new ChannelInboundHandlerAdapter() {
                          @Override
                          public void channelRead(ChannelHandlerContext ctx, Object message) {
                            answer.complete(((ByteBuf) message).readLong());
                            ((ByteBuf) message).release();
                            ctx.close();
                          }
                        });
                stream.writeAndFlush(stream.alloc().buffer().writeLong(number));
              });
    }
    for (int i = 0; i < 1000; i++) {
      assertThat(answers.get(i).get(50, SECONDS)).isEqualTo(i);
    }
  }

  @Test
  void methodsMayBeCalledFromAnyThread() throws Exception {
    CompletableFuture<YamuxStreamChannel> accepted = new CompletableFuture<>();
    onInbound = accepted::complete;
    YamuxStreamChannel stream = dialer.openStream().sync().getNow();
    assertThat(accepted.get(10, SECONDS).streamId()).isEqualTo(1);
    assertThat(dialer.ping().sync().getNow()).isPositive();
    assertThat(dialer.roundTrip()).isPositive();
    dialer.goAway(GoAwayCode.NORMAL).sync();
    stream.reset();
    stream.closeFuture().sync();
    accepted.get().closeFuture().sync();
  }

  private final class Listener implements MuxerListener {
    @Override
    public void onInboundStream(StreamChannel stream) {
      onInbound.accept((YamuxStreamChannel) stream);
    }

    @Override
    public void onGoAway(String reason) {}

    @Override
    public void onClosed(Throwable cause) {
      closed.countDown();
    }
  }

  /** Writes 1 MiB in pieces of random sizes, as far as it may, and sums what it reads. */
  private static final class Bulk extends ChannelInboundHandlerAdapter {
    private static final int TOTAL = 1 << 20;

    final long seed;
    final CompletableFuture<Long> sent = new CompletableFuture<>();
    final CompletableFuture<Long> received = new CompletableFuture<>();
    private final Random random;
    private final CRC32 sentSum = new CRC32();
    private final CRC32 receivedSum = new CRC32();
    private int left = TOTAL;
    private int missing = TOTAL;

    Bulk(long seed) {
      this.seed = seed;
      random = new Random(seed);
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
      write(ctx);
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
      write(ctx);
    }

    private void write(ChannelHandlerContext ctx) {
      ByteBufAllocator alloc = ctx.alloc();
      while (left > 0 && ctx.channel().isWritable()) {
        byte[] bytes = new byte[Math.min(left, 1 + random.nextInt(random.nextInt(200_000) + 1))];
        random.nextBytes(bytes);
        sentSum.update(bytes);
        left -= bytes.length;
        ctx.write(alloc.buffer(bytes.length).writeBytes(bytes));
        if (left == 0) {
          sent.complete(sentSum.getValue());
        }
        if (left == 0 || random.nextInt(3) == 0) {
          ctx.flush();
        }
      }
      ctx.flush();
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
      ByteBuf buffer = (ByteBuf) message;
      byte[] bytes = new byte[buffer.readableBytes()];
      buffer.readBytes(bytes).release();
      receivedSum.update(bytes);
      missing -= bytes.length;
      if (missing == 0) {
        received.complete(receivedSum.getValue());
      }
    }
  }
}
