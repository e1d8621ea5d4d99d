package io.grpcstream.libp2p.security.noise;

import static io.grpcstream.libp2p.security.noise.NoiseCrypto.TAG_LENGTH;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.UnsupportedMessageTypeException;
import io.netty.util.ReferenceCountUtil;
import java.io.EOFException;
import java.nio.channels.ClosedChannelException;
import java.security.GeneralSecurityException;
import javax.crypto.AEADBadTagException;
import org.jspecify.annotations.Nullable;

/**
 * The transport phase: a record is a 2-byte length and a Noise transport message (noise/README.md,
 * Wire Format).
 *
 * <p><b>Outbound</b>, writes are gathered until a flush, or until they fill a batch of four
 * records, and packed into records as large as allowed, since the cost of a record is mostly its
 * setup. A batch is one buffer and one write below. A write's promise completes with the batch that
 * holds its last byte, in the order of the writes. Gathered bytes count for the channel's
 * writability.
 *
 * <p><b>Inbound</b>, all whole records of a read are decrypted and passed on as one buffer, in
 * batches of the same bound. A record that has arrived in part is copied aside as it grows, so a
 * length that was only claimed takes no memory. The handler never reads ahead: it reads again only
 * when a read was asked for and has not yielded a whole record.
 *
 * <p>A record that fails to decrypt ends the connection: {@link NoiseException} up the pipeline,
 * pending writes failed, channel closed.
 */
final class NoiseCodec extends ChannelDuplexHandler {
  static final int LENGTH_FIELD = 2;
  static final int MAX_MESSAGE = 65_535;
  static final int MAX_PLAINTEXT = MAX_MESSAGE - TAG_LENGTH;

  /** The most plaintext that is turned into one buffer, or waits for a flush. */
  static final int MAX_BATCH = 4 * MAX_PLAINTEXT;

  private final RecordCipher sender;
  private final RecordCipher receiver;
  private @Nullable PlaintextQueue pending;
  private @Nullable ByteBuf partial;
  private @Nullable Exception failure;
  private boolean wanted;

  NoiseCodec(CipherState sender, CipherState receiver) {
    this.sender = RecordCipher.of(sender);
    this.receiver = RecordCipher.of(receiver);
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    pending = new PlaintextQueue(ctx.channel(), sender);
  }

  // ---- outbound

  @Override
  public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
    if (failure != null) {
      ReferenceCountUtil.release(message);
      promise.tryFailure(failure);
      return;
    }
    if (pending == null || !(message instanceof ByteBuf plaintext)) {
      ReferenceCountUtil.release(message);
      promise.tryFailure(new UnsupportedMessageTypeException(message, ByteBuf.class));
      return;
    }
    pending.add(plaintext, promise);
    while (failure == null && pending.readableBytes() >= MAX_BATCH) {
      encryptBatch(ctx, pending);
    }
  }

  @Override
  public void flush(ChannelHandlerContext ctx) {
    while (failure == null && pending != null && !pending.isEmpty()) {
      encryptBatch(ctx, pending);
    }
    ctx.flush();
  }

  private void encryptBatch(ChannelHandlerContext ctx, PlaintextQueue queue) {
    ChannelPromise written = ctx.newPromise();
    ByteBuf plaintext = queue.remove(ctx.alloc(), MAX_BATCH, written);
    ByteBuf out = Unpooled.EMPTY_BUFFER;
    try {
      int length = plaintext.readableBytes();
      if (length > 0) {
        int records = (length + MAX_PLAINTEXT - 1) / MAX_PLAINTEXT;
        out = ctx.alloc().directBuffer(length + records * (LENGTH_FIELD + TAG_LENGTH));
        while (plaintext.isReadable()) {
          encryptRecord(plaintext, out);
        }
      }
    } catch (GeneralSecurityException | RuntimeException | LinkageError e) { // Providers may.
      out.release();
      NoiseException cause = new NoiseException(describe("cannot encrypt: " + e.getMessage()), e);
      failure = cause;
      written.setFailure(cause);
      fail(ctx, cause);
      return;
    } catch (OutOfMemoryError e) {
      written.setFailure(e);
      throw e;
    } finally {
      plaintext.release();
    }
    ctx.write(out, written);
  }

  private void encryptRecord(ByteBuf plaintext, ByteBuf out) throws GeneralSecurityException {
    int length = Math.min(MAX_PLAINTEXT, plaintext.readableBytes());
    out.writeShort(length + TAG_LENGTH);
    sender.seal(plaintext, length, out);
  }

  // ---- inbound

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    if (failure != null || !(message instanceof ByteBuf in)) {
      ReferenceCountUtil.release(message);
      return;
    }
    try {
      decrypt(ctx, in);
    } catch (NoiseException e) {
      if (failure == null) {
        fail(ctx, e);
      }
    } finally {
      in.release();
    }
  }

  private void decrypt(ChannelHandlerContext ctx, ByteBuf in) throws NoiseException {
    @Nullable ByteBuf plaintext = null;
    try {
      for (int length; failure == null && (length = nextMessage(ctx, in)) >= 0; ) {
        if (plaintext != null && plaintext.writableBytes() >= length) {
          open(in, length, plaintext);
          continue;
        }
        int first = partial == null ? 0 : length - TAG_LENGTH;
        int size = batchSize(first, in) + TAG_LENGTH;
        ByteBuf next = receiver.newBuffer(ctx.alloc(), size, size);
        try {
          open(in, length, next);
        } catch (NoiseException e) {
          next.release();
          throw e;
        }
        ByteBuf full = plaintext;
        plaintext = next;
        if (full != null) {
          deliver(ctx, full);
        }
      }
    } finally {
      if (plaintext != null) {
        deliver(ctx, plaintext);
      }
    }
  }

  /** Decrypts what {@link #nextMessage} has found. */
  private void open(ByteBuf in, int length, ByteBuf out) throws NoiseException {
    try {
      receiver.open((partial == null ? in : partial).skipBytes(LENGTH_FIELD), length, out);
    } catch (AEADBadTagException e) {
      throw new NoiseException(
          describe("a record of %,d bytes is not authentic".formatted(length)), e);
    } catch (GeneralSecurityException | RuntimeException | LinkageError e) { // Providers may.
      throw new NoiseException(describe("cannot decrypt: " + e.getMessage()), e);
    } finally {
      releasePartial();
    }
  }

  private void deliver(ChannelHandlerContext ctx, ByteBuf plaintext) {
    if (plaintext.isReadable() && failure == null) {
      wanted = false;
      ctx.fireChannelRead(plaintext);
    } else {
      plaintext.release();
    }
  }

  /**
   * The length of the next whole message, or -1 if it has not all arrived. With its length field,
   * it comes next in {@link #partial} if there is one, else in {@code in}.
   */
  private int nextMessage(ChannelHandlerContext ctx, ByteBuf in) throws NoiseException {
    if (partial == null) {
      int length = peekLength(in);
      if (length >= 0 && in.readableBytes() - LENGTH_FIELD >= length) {
        return length;
      }
      if (in.isReadable()) {
        int size = partialSize(length, in);
        partial = receiver.newBuffer(ctx.alloc(), size, LENGTH_FIELD + MAX_MESSAGE);
        partial.writeBytes(in);
      }
      return -1;
    }
    moveUpTo(LENGTH_FIELD, in, partial);
    int length = peekLength(partial);
    if (length < 0) {
      return -1;
    }
    moveUpTo(LENGTH_FIELD + length, in, partial);
    return partial.readableBytes() < LENGTH_FIELD + length ? -1 : length;
  }

  /** Room for the whole message if a quarter has arrived, else for what has. */
  private static int partialSize(int length, ByteBuf in) {
    int arrived = in.readableBytes();
    return length >= 0 && arrived >= length / 4 ? LENGTH_FIELD + length : arrived;
  }

  private static void moveUpTo(int size, ByteBuf in, ByteBuf out) {
    int n = Math.min(in.readableBytes(), size - out.readableBytes());
    if (n > 0) {
      out.writeBytes(in, n);
    }
  }

  private int peekLength(ByteBuf in) throws NoiseException {
    if (in.readableBytes() < LENGTH_FIELD) {
      return -1;
    }
    int length = in.getUnsignedShort(in.readerIndex());
    if (length < TAG_LENGTH) {
      throw new NoiseException(
          describe(
              "a record of %d bytes, shorter than its tag of %d".formatted(length, TAG_LENGTH)));
    }
    return length;
  }

  /** {@code first} bytes and the plaintext of the whole messages in {@code in}, bounded. */
  private static int batchSize(int first, ByteBuf in) {
    int size = first;
    int i = in.readerIndex();
    while (in.writerIndex() - i >= LENGTH_FIELD) {
      int length = in.getUnsignedShort(i);
      i += LENGTH_FIELD + length;
      if (length < TAG_LENGTH || i > in.writerIndex() || size + length - TAG_LENGTH > MAX_BATCH) {
        break;
      }
      size += length - TAG_LENGTH;
    }
    return size;
  }

  @Override
  public void read(ChannelHandlerContext ctx) {
    wanted = true;
    ctx.read();
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext ctx) {
    boolean more = wanted && failure == null && !ctx.channel().config().isAutoRead();
    ctx.fireChannelReadComplete();
    if (more) {
      ctx.read();
    }
  }

  // ---- the end

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    if (failure == null && partial != null) {
      // Whoever cuts a connection does not choose where: this breaks no rule of Noise.
      ctx.fireExceptionCaught(
          new EOFException(
              describe(
                  "the connection ended after %,d bytes of a record"
                      .formatted(partial.readableBytes()))));
    }
    end(ctx, new ClosedChannelException());
    ctx.fireChannelInactive();
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext ctx) {
    end(ctx, new ClosedChannelException());
  }

  private void fail(ChannelHandlerContext ctx, NoiseException cause) {
    end(ctx, cause);
    ctx.fireExceptionCaught(cause);
    ctx.close();
  }

  private void end(ChannelHandlerContext ctx, Exception cause) {
    if (failure == null) {
      failure = cause;
    }
    sender.destroy();
    receiver.destroy();
    releasePartial();
    if (pending != null) {
      pending.releaseAndFailAll(ctx, failure);
    }
  }

  private void releasePartial() {
    if (partial != null) {
      partial.release();
      partial = null;
    }
  }

  private String describe(String what) {
    return "noise: " + what;
  }
}
