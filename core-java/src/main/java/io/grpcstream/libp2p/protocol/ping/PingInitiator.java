package io.grpcstream.libp2p.protocol.ping;

import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.text.DurationText;
import io.grpcstream.libp2p.util.EventLoops;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.util.concurrent.Future;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Sends payloads, one at a time, and compares what comes back. */
final class PingInitiator extends ChannelInboundHandlerAdapter {
  // Random, so that a peer cannot answer before it was asked and look nearer than it is.
  private static final SecureRandom RANDOM = new SecureRandom();

  private final Stream stream;
  private final byte[] payload = new byte[PingProtocol.PAYLOAD_BYTES];
  private final ByteBuf answer = Unpooled.buffer(PingProtocol.PAYLOAD_BYTES);
  private @Nullable CompletableFuture<Duration> pending;
  private @Nullable Future<?> deadline;
  private long sentAt;

  private PingInitiator(Stream stream) {
    this.stream = stream;
  }

  /** See {@link PingProtocol#ping}. */
  static CompletionStage<Duration> ping(Stream stream) {
    CompletableFuture<Duration> result = new CompletableFuture<>();
    if (!EventLoops.run(stream.channel().eventLoop(), () -> start(stream, result))) {
      result.completeExceptionally(failure(stream, "the stream ended with its event loop", null));
    }
    return result;
  }

  private static void start(Stream stream, CompletableFuture<Duration> result) {
    Channel channel = stream.channel();
    if (!channel.isActive()) {
      result.completeExceptionally(failure(stream, "the stream has ended", null));
      return;
    }
    PingInitiator initiator = channel.pipeline().get(PingInitiator.class);
    if (initiator == null) {
      initiator = new PingInitiator(stream);
      channel.pipeline().addLast(initiator);
    }
    initiator.send(channel, result);
  }

  private void send(Channel channel, CompletableFuture<Duration> result) {
    if (pending != null) {
      result.completeExceptionally(
          new IllegalStateException("ping: one is already under way on " + stream));
      return;
    }
    pending = result;
    RANDOM.nextBytes(payload);
    answer.clear();
    deadline =
        channel
            .eventLoop()
            .schedule(
                () -> fail(silence(), null),
                PingProtocol.TIMEOUT.toMillis(),
                TimeUnit.MILLISECONDS);
    sentAt = System.nanoTime();
    channel
        .writeAndFlush(channel.alloc().buffer(payload.length).writeBytes(payload))
        .addListener(
            sent -> {
              if (!sent.isSuccess() && pending == result) {
                fail("not sent", sent.cause());
              }
            });
    channel.read();
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    ByteBuf in = (ByteBuf) message;
    try {
      int missing = payload.length - answer.readableBytes();
      if (pending == null || in.readableBytes() > missing) {
        fail("sent bytes that answer no ping", null);
        return;
      }
      answer.writeBytes(in);
    } finally {
      in.release();
    }
    CompletableFuture<Duration> result = pending;
    if (answer.readableBytes() == payload.length && result != null) {
      long roundTrip = System.nanoTime() - sentAt;
      if (!Arrays.equals(answer.array(), 0, payload.length, payload, 0, payload.length)) {
        fail("answered with other bytes than were sent", null);
        return;
      }
      finish();
      result.complete(Duration.ofNanos(roundTrip));
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext ctx) {
    if (pending != null && !ctx.channel().config().isAutoRead()) {
      ctx.read();
    }
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (event == ChannelInputShutdownEvent.INSTANCE) {
      fail("the peer ended the stream", null);
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    fail("the stream ended", null);
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    fail("the stream failed", cause);
  }

  private void fail(String what, @Nullable Throwable cause) {
    CompletableFuture<Duration> result = pending;
    finish();
    stream.reset();
    if (result != null) {
      result.completeExceptionally(failure(stream, what, cause));
    }
  }

  private String silence() {
    return "no answer within %s, %,d of %,d bytes received"
        .formatted(DurationText.of(PingProtocol.TIMEOUT), answer.readableBytes(), payload.length);
  }

  private void finish() {
    pending = null;
    if (deadline != null) {
      deadline.cancel(false);
    }
  }

  private static PingException failure(Stream stream, String what, @Nullable Throwable cause) {
    return new PingException("ping: peer " + stream.remotePeer() + ": " + what, cause);
  }
}
