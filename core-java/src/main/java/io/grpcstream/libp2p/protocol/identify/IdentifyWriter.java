package io.grpcstream.libp2p.protocol.identify;

import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.text.DurationText;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.util.concurrent.Future;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Sends one message and ends the stream. */
final class IdentifyWriter {
  private static final Logger logger = LoggerFactory.getLogger(IdentifyWriter.class);

  private final Stream stream;
  private final CompletableFuture<Void> result;

  /** Set before anything is ended or completed: a reset fails the write, which calls back. */
  private boolean done;

  private IdentifyWriter(Stream stream, CompletableFuture<Void> result) {
    this.stream = stream;
    this.result = result;
  }

  /**
   * Sends {@code identify}. Must be called on the stream's event loop. What the peer sends on this
   * stream is not read.
   *
   * @param result completed once the message is sent, or with an {@link IdentifyException}
   * @throws IllegalArgumentException if the message is too large; see {@link IdentifyCodec#encode}
   */
  static void send(Stream stream, Identify identify, CompletableFuture<Void> result) {
    new IdentifyWriter(stream, result).send(IdentifyCodec.encode(identify));
  }

  private void send(byte[] message) {
    Channel channel = stream.channel();
    channel.config().setAutoRead(false);
    ByteBuf buffer = channel.alloc().buffer(message.length + 3);
    writeLength(buffer, message.length);
    buffer.writeBytes(message);
    Future<?> deadline =
        channel
            .eventLoop()
            .schedule(
                () -> fail(overdue(message.length), null),
                IdentifyProtocol.TIMEOUT.toMillis(),
                TimeUnit.MILLISECONDS);
    channel
        .writeAndFlush(buffer)
        .addListener(
            sent -> {
              deadline.cancel(false);
              if (!sent.isSuccess()) {
                fail("not sent", sent.cause());
              } else if (!done) {
                done = true;
                stream.close();
                result.complete(null);
              }
            });
  }

  private static String overdue(int bytes) {
    return "not sent within %s, as the peer has not made room for %,d bytes"
        .formatted(DurationText.of(IdentifyProtocol.TIMEOUT), bytes);
  }

  private static void writeLength(ByteBuf out, int length) {
    int rest = length;
    for (; rest >= 0x80; rest >>>= 7) {
      out.writeByte(rest | 0x80);
    }
    out.writeByte(rest);
  }

  private void fail(String what, @Nullable Throwable cause) {
    if (done) {
      return;
    }
    done = true;
    IdentifyException failure =
        new IdentifyException("identify: to peer " + stream.remotePeer() + ": " + what, cause);
    logger.debug("{}: {}", stream, failure.getMessage(), cause);
    stream.reset();
    result.completeExceptionally(failure);
  }
}
