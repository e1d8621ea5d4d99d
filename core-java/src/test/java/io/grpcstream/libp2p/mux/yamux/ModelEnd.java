package io.grpcstream.libp2p.mux.yamux;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** One end of a stream: what was done to it, and what its pipeline has seen. */
final class ModelEnd extends ChannelInboundHandlerAdapter {
  private static final int PERIOD = 1 << 20;
  private static final byte[] NOISE = noise();

  final YamuxStreamChannel stream;
  final boolean halfClosure;
  final List<ChannelFuture> writes = new ArrayList<>();
  final List<Throwable> failures = new ArrayList<>();
  final List<String> faults = new ArrayList<>();

  /** Bytes that the channel accepted, and bytes that came. */
  long written;

  long received;

  boolean shutdownOutput;
  boolean expectedEnd;
  boolean closed;
  boolean reset;
  private int ends;
  private int inactives;
  private ModelStep.@Nullable Act whenRead;

  @SuppressWarnings("deprecation") // Netty has no other way to set it.
  ModelEnd(YamuxStreamChannel stream) {
    this.stream = stream;
    // Few, so that reads often end before the data does.
    stream.config().setMaxMessagesPerRead(2);
    halfClosure = (stream.streamId() + 1) / 2 % 3 != 0;
    stream.config().setAllowHalfClosure(halfClosure);
    stream.pipeline().addLast(this);
  }

  /** Which of all ends it is: the contents of its two directions differ, and from all others'. */
  private int salt(boolean sent) {
    return (int) stream.streamId() * 7919 + (sent == stream.isInitiator() ? 0 : 104_729);
  }

  void act(ModelStep.Act act) {
    if (act instanceof ModelStep.Write write) {
      write(write.bytes());
    } else if (act instanceof ModelStep.Flush) {
      stream.flush();
    } else if (act instanceof ModelStep.Read) {
      stream.read();
    } else if (act instanceof ModelStep.AutoRead autoRead) {
      stream.config().setAutoRead(autoRead.on());
    } else if (act instanceof ModelStep.ShutdownOutput) {
      shutdownOutput |= stream.isOpen();
      stream.shutdownOutput();
    } else if (act instanceof ModelStep.ExpectEnd) {
      expectedEnd = true;
      stream.expectEnd();
    } else if (act instanceof ModelStep.Close) {
      closed |= stream.isOpen();
      stream.close();
    } else {
      reset |= stream.isOpen();
      stream.reset();
    }
  }

  void actWhenRead(ModelStep.@Nullable Act act) {
    whenRead = act;
  }

  private void write(int bytes) {
    int from = (int) ((written + salt(true)) % PERIOD);
    // Before the write: completing it may come back here.
    written += bytes;
    ChannelFuture write =
        stream.write(stream.alloc().buffer(Math.max(1, bytes)).writeBytes(NOISE, from, bytes));
    if (write.isDone() && !write.isSuccess()) {
      written -= bytes;
    } else {
      writes.add(write);
    }
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    ByteBuf in = (ByteBuf) message;
    byte[] bytes = new byte[in.readableBytes()];
    in.readBytes(bytes).release();
    for (int done = 0; done < bytes.length; ) {
      int from = (int) ((received + salt(false)) % PERIOD);
      int part = Math.min(bytes.length - done, PERIOD);
      if (!Arrays.equals(bytes, done, done + part, NOISE, from, from + part)) {
        faults.add("other bytes than were sent, from byte " + received + " on");
      }
      done += part;
      received += part;
    }
    if (ends > 0 || inactives > 0) {
      faults.add(bytes.length + " bytes after the end");
    }
    ModelStep.Act act = whenRead;
    whenRead = null;
    if (act != null) {
      act(act);
    }
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (event instanceof ChannelInputShutdownEvent && ++ends > 1) {
      faults.add("a second end of input");
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    failures.add(cause);
    if (!(cause instanceof StreamResetException || cause instanceof ConnectionLostException)) {
      faults.add("failed with " + cause);
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    if (++inactives > 1) {
      faults.add("became inactive twice");
    }
  }

  /** It was told that the other side has said everything. */
  boolean sawEnd() {
    return ends > 0 || (!halfClosure && inactives > 0 && failures.isEmpty() && !closed && !reset);
  }

  /** Only written to, read from and half-closed: nothing may be lost, and nothing may fail. */
  boolean isGentle() {
    return halfClosure && !expectedEnd && !closed && !reset;
  }

  @Override
  public String toString() {
    return "the "
        + (stream.isInitiator() ? "opener" : "acceptor")
        + " of stream "
        + stream.streamId()
        + ", which wrote "
        + written
        + " bytes, read "
        + received
        + (shutdownOutput ? ", ended its output" : "")
        + (expectedEnd ? ", expected the end" : "")
        + (closed ? ", closed" : "")
        + (reset ? ", reset" : "")
        + (sawEnd() ? ", saw the end" : "")
        + (failures.isEmpty() ? "" : ", saw " + failures);
  }

  private static byte[] noise() {
    byte[] noise = new byte[PERIOD];
    new Random(1).nextBytes(noise);
    byte[] twice = Arrays.copyOf(noise, 2 * PERIOD);
    System.arraycopy(noise, 0, twice, PERIOD, PERIOD);
    return twice;
  }
}
