package io.grpcstream;

import io.grpcstream.libp2p.mux.yamux.YamuxSession;
import io.grpcstream.libp2p.mux.yamux.YamuxStreamChannel;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Stands below yamux in a connection and counts the payload of bulk streams that leaves. For each
 * answer on another stream it notes how much of that left since the request had arrived.
 */
final class FrameCounter extends ChannelDuplexHandler {
  /** Frames of at least so many bytes belong to bulk streams. */
  static final int BULK_BYTES = 8 << 10;

  private final Map<Integer, Long> asked = new HashMap<>();
  private final Frames in = new Frames(this::arrived);
  private final Frames out = new Frames(this::left);
  private long bulkBytes;
  private volatile int askingBytes = BULK_BYTES;
  private volatile long answers;
  private volatile long most;

  /** Put below yamux at a moment when no frame is under way. */
  static CompletionStage<FrameCounter> below(Channel stream) {
    FrameCounter counter = new FrameCounter();
    CompletableFuture<FrameCounter> added = new CompletableFuture<>();
    Channel connection = ((YamuxStreamChannel) stream).parent();
    connection
        .eventLoop()
        .execute(
            () -> {
              String session = connection.pipeline().context(YamuxSession.class).name();
              connection.pipeline().addBefore(session, "frame counter", counter);
              added.complete(counter);
            });
    return added;
  }

  /** Answers seen. */
  long answers() {
    return answers;
  }

  /** The most bytes of bulk streams that left between a request and its answer. */
  long mostBytesBetween() {
    return most;
  }

  /**
   * Forgets what it saw; what left before does not count.
   *
   * @param messageBytes requests and answers have at least so many; less are of HTTP/2 itself
   */
  void reset(int messageBytes) {
    askingBytes = messageBytes;
    answers = 0;
    most = 0;
  }

  private void arrived(int stream, int length) {
    if (length >= askingBytes && length < BULK_BYTES) {
      asked.put(stream, bulkBytes);
    }
  }

  private void left(int stream, int length) {
    if (length >= BULK_BYTES) {
      bulkBytes += length;
    } else if (length >= askingBytes) {
      Long before = asked.remove(stream);
      if (before != null) {
        most = Math.max(most, bulkBytes - before);
        answers++;
      }
    }
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    in.add((ByteBuf) message);
    context.fireChannelRead(message);
  }

  @Override
  public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
    out.add((ByteBuf) message);
    context.write(message, promise);
  }

  private interface Sink {
    void dataFrame(int stream, int length);
  }

  /** Cuts bytes into frames; yamux spec, "Framing". */
  private static final class Frames {
    private static final int HEADER_BYTES = 12;

    private final Sink sink;
    private final ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES);
    private int payload;

    Frames(Sink sink) {
      this.sink = sink;
    }

    void add(ByteBuf bytes) {
      int end = bytes.writerIndex();
      for (int i = bytes.readerIndex(); i < end; ) {
        if (payload > 0) {
          int skipped = Math.min(payload, end - i);
          payload -= skipped;
          i += skipped;
          continue;
        }
        header.limit(Math.min(HEADER_BYTES, header.position() + end - i));
        i += header.remaining();
        bytes.getBytes(i - header.remaining(), header);
        header.limit(HEADER_BYTES);
        if (!header.hasRemaining()) {
          if (header.get(1) == 0) {
            payload = header.getInt(8);
            sink.dataFrame(header.getInt(4), payload);
          }
          header.clear();
        }
      }
    }
  }
}
