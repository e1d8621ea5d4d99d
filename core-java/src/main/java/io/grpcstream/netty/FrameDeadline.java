package io.grpcstream.netty;

import io.grpcstream.libp2p.Refusal;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.text.DurationText;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http2.Http2CodecUtil;
import io.netty.handler.codec.http2.Http2FrameTypes;
import io.netty.util.concurrent.ScheduledFuture;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Resets a served stream whose peer leaves HTTP/2 half sent: the preface with its SETTINGS (RFC
 * 9113, section 3.4) and a header block (section 4.3), which a client has ready as a whole, are due
 * within the timeout; of any other frame, however slow, a byte must come within it. Follows the
 * heads of frames only; what is wrong about them is for those who read them.
 */
final class FrameDeadline extends ChannelInboundHandlerAdapter {
  private static final int END_HEADERS = 4;

  // Of a frame's head (RFC 9113, section 4.1): three bytes of length, type, flags, the stream's id.
  private static final int TYPE_AT = 3;
  private static final int FLAGS_AT = 4;

  private final Stream stream;
  private final long timeoutNanos;
  private final RefusalLog refusals;

  private int prefaceMissing = Http2CodecUtil.connectionPrefaceBuf().readableBytes();
  private boolean settingsMissing = true;

  /** Bytes of a frame's head that have come: less than all of them, except within the payload. */
  private int head;

  private int payload;
  private int type;
  private int flags;

  /** Between a HEADERS frame and the last of its CONTINUATION frames. */
  private boolean inHeaderBlock;

  /** When what is incomplete began, or brought its last byte; see the class. */
  private long since;

  private boolean incomplete;
  private boolean dueAsAWhole;

  /** Whether what was due as a whole has ended since {@link #since} was set. */
  private boolean ended;

  private @Nullable ScheduledFuture<?> timer;

  FrameDeadline(Stream stream, Duration timeout, RefusalLog refusals) {
    this.stream = stream;
    this.timeoutNanos = timeout.toNanos();
    this.refusals = refusals;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    incomplete = true;
    dueAsAWhole = true;
    since = System.nanoTime();
    arm(ctx, timeoutNanos);
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext ctx) {
    if (timer != null) {
      timer.cancel(false);
    }
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    if (message instanceof ByteBuf bytes) {
      boolean wasDueAsAWhole = dueAsAWhole;
      ended = false;
      follow(bytes);
      dueAsAWhole = prefaceMissing > 0 || settingsMissing || inHeaderBlock || inHeaders();
      incomplete = dueAsAWhole || head > 0;
      if (incomplete && (!dueAsAWhole || !wasDueAsAWhole || ended)) {
        since = System.nanoTime();
      }
      if (incomplete && timer == null) {
        arm(ctx, timeoutNanos);
      }
    }
    ctx.fireChannelRead(message);
  }

  private void follow(ByteBuf bytes) {
    int at = bytes.readerIndex();
    int end = bytes.writerIndex();
    int skipped = Math.min(prefaceMissing, end - at);
    prefaceMissing -= skipped;
    at += skipped;
    while (at < end) {
      if (head == 0 && end - at >= Http2CodecUtil.FRAME_HEADER_LENGTH) { // As a whole, mostly.
        payload = bytes.getUnsignedMedium(at);
        type = bytes.getByte(at + TYPE_AT);
        flags = bytes.getByte(at + FLAGS_AT);
        head = Http2CodecUtil.FRAME_HEADER_LENGTH;
        at += Http2CodecUtil.FRAME_HEADER_LENGTH;
      } else if (head < Http2CodecUtil.FRAME_HEADER_LENGTH) {
        addToHead(bytes.getUnsignedByte(at++));
      } else {
        int part = Math.min(payload, end - at);
        payload -= part;
        at += part;
      }
      if (head == Http2CodecUtil.FRAME_HEADER_LENGTH && payload == 0) {
        frameEnded();
      }
    }
  }

  private void addToHead(int value) {
    switch (head++) {
      case 0 -> payload = value;
      case 1, 2 -> payload = payload << 8 | value;
      case TYPE_AT -> type = value;
      case FLAGS_AT -> flags = value;
      default -> {}
    }
  }

  private void frameEnded() {
    head = 0;
    settingsMissing = false; // Any other first frame is an error, and ends the connection.
    if (type == Http2FrameTypes.HEADERS || type == Http2FrameTypes.CONTINUATION) {
      inHeaderBlock = (flags & END_HEADERS) == 0;
    }
    ended |= !inHeaderBlock;
  }

  private boolean inHeaders() {
    return head == Http2CodecUtil.FRAME_HEADER_LENGTH && type == Http2FrameTypes.HEADERS;
  }

  private void arm(ChannelHandlerContext ctx, long delay) {
    timer = ctx.executor().schedule(this::check, delay, TimeUnit.NANOSECONDS);
  }

  private void check() {
    timer = null;
    ChannelHandlerContext ctx = stream.channel().pipeline().context(this);
    if (!incomplete || ctx == null) {
      return;
    }
    long left = timeoutNanos - (System.nanoTime() - since);
    if (left > 0) {
      arm(ctx, left);
      return;
    }
    refusals.refused(
        stream,
        Refusal.STALLED,
        "reset, as %s was not sent within %s"
            .formatted(what(), DurationText.ofNanos(timeoutNanos)));
    stream.reset();
  }

  private String what() {
    if (prefaceMissing > 0 || settingsMissing) {
      return "the preface of HTTP/2";
    }
    return dueAsAWhole ? "the rest of a header block" : "more of a frame";
  }
}
