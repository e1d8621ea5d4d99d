package io.grpcstream.libp2p.protocol.identify;

import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.text.DurationText;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the messages of one exchange until the stream ends. Each is preceded by its length as an
 * unsigned varint, which is checked before anything is gathered.
 */
final class IdentifyReader extends ByteToMessageDecoder {
  /** Messages merged at most, as go-libp2p does. */
  static final int MAX_MESSAGES = 10;

  /** The largest message taken, as go-libp2p does: 8 KiB. */
  static final int MAX_MESSAGE_BYTES = 8 << 10;

  private static final int INCOMPLETE = -1;
  private static final int TOO_LONG = -2;

  private static final Logger logger = LoggerFactory.getLogger(IdentifyReader.class);

  private final Stream stream;
  private final CompletableFuture<Identify> result;
  private final IdentifyCodec.Merger merger;
  private int messages;

  /** Set before anything is ended or completed: both may call back into this handler. */
  private boolean done;

  private @Nullable Future<?> deadline;

  private IdentifyReader(
      Stream stream, Predicate<Multiaddr> preferred, CompletableFuture<Identify> result) {
    this.stream = stream;
    this.result = result;
    merger = new IdentifyCodec.Merger(stream.remotePeer(), preferred);
  }

  /**
   * Starts reading at the end of the stream's pipeline. Must be called on its event loop.
   *
   * @param preferred which addresses to keep where there are too many
   * @param result completed with what the peer sent, or with an {@link IdentifyException}
   */
  static void receive(
      Stream stream, Predicate<Multiaddr> preferred, CompletableFuture<Identify> result) {
    IdentifyReader reader = new IdentifyReader(stream, preferred, result);
    if (!stream.channel().isActive()) {
      reader.fail("the stream has ended", null);
      return;
    }
    stream.channel().pipeline().addLast(reader);
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    deadline =
        ctx.executor()
            .schedule(
                () -> fail(progress(), null),
                IdentifyProtocol.TIMEOUT.toMillis(),
                TimeUnit.MILLISECONDS);
  }

  @Override
  protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
    if (done) {
      in.skipBytes(in.readableBytes());
      return;
    }
    int start = in.readerIndex();
    int length = readLength(in);
    if (length > MAX_MESSAGE_BYTES || length == TOO_LONG) {
      String found = length == TOO_LONG ? "longer" : length + " bytes long";
      fail("a message is " + found + ", limit " + MAX_MESSAGE_BYTES, null);
    } else if (length == INCOMPLETE || in.readableBytes() < length) {
      in.readerIndex(start);
    } else if (messages == MAX_MESSAGES) {
      fail("more messages than the limit of " + MAX_MESSAGES, null);
    } else {
      messages++;
      byte[] message = ByteBufUtil.getBytes(in, in.readerIndex(), length);
      in.skipBytes(length);
      try {
        merger.add(message);
      } catch (IdentifyException e) {
        fail(e);
      } catch (IOException e) {
        fail("message " + messages + " is malformed: " + e.getMessage(), e);
      }
    }
  }

  /** A varint of at most three bytes, enough for any length within the limit. */
  private static int readLength(ByteBuf in) {
    int value = 0;
    for (int shift = 0; shift <= 14; shift += 7) {
      if (!in.isReadable()) {
        return INCOMPLETE;
      }
      byte next = in.readByte();
      value |= (next & 0x7f) << shift;
      if (next >= 0) {
        return value;
      }
    }
    return TOO_LONG;
  }

  @Override
  protected void decodeLast(ChannelHandlerContext ctx, ByteBuf in, List<Object> out)
      throws Exception {
    super.decodeLast(ctx, in, out);
    if (in.isReadable()) {
      fail("the stream ended within message " + (messages + 1), null);
    } else if (messages == 0) {
      fail("the stream ended without a message", null);
    } else {
      succeed();
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    fail("the stream failed: " + cause.getMessage(), cause);
  }

  private String progress() {
    return "not complete within %s, %d message(s) and %,d bytes of the next received"
        .formatted(DurationText.of(IdentifyProtocol.TIMEOUT), messages, actualReadableBytes());
  }

  private void succeed() {
    if (done) {
      return;
    }
    done = true;
    cancelDeadline();
    stream.close();
    result.complete(merger.result());
  }

  private void fail(String what, @Nullable Throwable cause) {
    fail(new IdentifyException("identify: peer " + stream.remotePeer() + ": " + what, cause));
  }

  private void fail(IdentifyException failure) {
    if (done) {
      return;
    }
    done = true;
    logger.debug("{}: {}", stream, failure.getMessage());
    cancelDeadline();
    stream.reset();
    result.completeExceptionally(failure);
  }

  private void cancelDeadline() {
    if (deadline != null) {
      deadline.cancel(false);
    }
  }
}
