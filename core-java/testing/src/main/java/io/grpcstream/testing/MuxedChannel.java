package io.grpcstream.testing;

import io.libp2p.etc.util.netty.mux.RemoteWriteClosed;
import io.netty.buffer.ByteBuf;
import io.netty.channel.AbstractChannel;
import io.netty.channel.ChannelConfig;
import io.netty.channel.ChannelMetadata;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPromise;
import io.netty.channel.DefaultChannelConfig;
import io.netty.channel.EventLoop;
import io.netty.channel.local.LocalAddress;
import java.io.IOException;
import java.net.SocketAddress;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One end of a stream that behaves as jvm-libp2p's do over yamux, with the other end in the same
 * process:
 *
 * <ul>
 *   <li>{@link #config()} is new at each call, so that nothing can be set;
 *   <li>bytes are delivered as they come, whoever reads, and the window is given back at once;
 *   <li>writes are taken at once, and wait for credit in a buffer of up to {@link #SEND_LIMIT},
 *       beyond which the write fails and the peer sees a reset;
 *   <li>{@code disconnect} ends the output behind what waits, and makes the channel inactive;
 *   <li>{@code close} drops what waits, and resets;
 *   <li>the peer's end is the user event {@link RemoteWriteClosed}, its reset just the end of the
 *       channel.
 * </ul>
 */
public final class MuxedChannel extends AbstractChannel {
  /** As jvm-libp2p's default, there for all streams of a connection. */
  public static final int SEND_LIMIT = 10 << 20;

  private static final int WINDOW = 256 << 10;
  private static final ChannelMetadata METADATA = new ChannelMetadata(true);

  private final Deque<ByteBuf> waiting = new ArrayDeque<>();
  private final List<Runnable> early = new ArrayList<>();
  private @Nullable MuxedChannel peer;
  private int waitingBytes;
  private int credit = WINDOW;
  private boolean localEnded;
  private boolean remoteEnded;
  private boolean endedByPeer;
  private volatile boolean active;
  private volatile boolean open = true;

  /** What was written by the pipeline, each a frame. On the event loop. */
  public int frames;

  /** How the channel was ended by the pipeline. */
  public volatile boolean resetHere;

  private MuxedChannel() {
    super(null);
  }

  /** An end whose other one is {@link #peer()}; both are still to be registered. */
  public static MuxedChannel create() {
    MuxedChannel one = new MuxedChannel();
    MuxedChannel other = new MuxedChannel();
    one.peer = other;
    other.peer = one;
    return one;
  }

  /** The other end. */
  public MuxedChannel peer() {
    return Objects.requireNonNull(peer);
  }

  private void toPeer(Runnable task) {
    peer().arrive(task);
  }

  /** What comes for a stream that is not set up yet waits for that, as it does in a muxer. */
  private void arrive(Runnable task) {
    synchronized (early) {
      if (!active && open && !isRegistered()) {
        early.add(task);
        return;
      }
    }
    eventLoop().execute(task);
  }

  // What comes from the other end.

  private void receive(ByteBuf bytes) {
    if (!open) {
      bytes.release();
      return;
    }
    int count = bytes.readableBytes();
    toPeer(() -> peer().receiveCredit(count));
    pipeline().fireChannelRead(bytes);
    pipeline().fireChannelReadComplete();
  }

  private void receiveCredit(int bytes) {
    credit += bytes;
    send();
  }

  private void receiveEnd() {
    pipeline().fireUserEventTriggered(RemoteWriteClosed.INSTANCE);
    remoteEnded = true;
    closeIfEnded();
  }

  private void receiveReset() {
    endedByPeer = true;
    close();
  }

  private void closeIfEnded() {
    if (localEnded && remoteEnded) {
      endedByPeer = true;
      close();
    }
  }

  private void send() {
    while (credit > 0 && !waiting.isEmpty()) {
      ByteBuf first = waiting.element();
      int count = Math.min(credit, first.readableBytes());
      ByteBuf frame = first.readRetainedSlice(count);
      credit -= count;
      waitingBytes -= count;
      if (!first.isReadable()) {
        waiting.remove().release();
      }
      toPeer(() -> peer().receive(frame));
    }
    if (localEnded && waiting.isEmpty()) {
      toPeer(peer()::receiveEnd);
    }
  }

  private void dropWaiting() {
    waiting.forEach(ByteBuf::release);
    waiting.clear();
    waitingBytes = 0;
  }

  // What Netty asks for.

  @Override
  public ChannelConfig config() {
    return new DefaultChannelConfig(this);
  }

  @Override
  public ChannelMetadata metadata() {
    return METADATA;
  }

  @Override
  public boolean isOpen() {
    return open;
  }

  @Override
  public boolean isActive() {
    return active;
  }

  @Override
  protected boolean isCompatible(EventLoop loop) {
    return true;
  }

  @Override
  protected void doRegister(ChannelPromise promise) {
    synchronized (early) {
      active = true;
      early.forEach(eventLoop()::execute);
      early.clear();
    }
    promise.setSuccess();
  }

  @Override
  protected void doBeginRead() {}

  @Override
  protected void doWrite(ChannelOutboundBuffer out) {
    for (Object next = out.current(); next != null; next = out.current()) {
      if (localEnded) {
        out.remove(new ClosedChannelException());
      } else {
        ByteBuf bytes = (ByteBuf) next;
        frames++;
        waiting.add(bytes.retainedSlice());
        waitingBytes += bytes.readableBytes();
        if (waitingBytes > SEND_LIMIT + credit) {
          dropWaiting();
          toPeer(peer()::receiveReset);
          out.remove(new IOException("Overflowed send buffer"));
        } else {
          send();
          out.remove();
        }
      }
    }
  }

  @Override
  protected void doDisconnect() {
    localEnded = true;
    send();
    deactivate();
    closeIfEnded();
  }

  private void deactivate() {
    if (active) {
      active = false;
      pipeline().fireChannelInactive();
    }
  }

  @Override
  protected void doClose() {
    if (!open) {
      return;
    }
    dropWaiting();
    if (!endedByPeer) {
      resetHere = true;
      toPeer(peer()::receiveReset);
    }
    deactivate();
    open = false;
  }

  @Override
  protected void doBind(SocketAddress address) {
    throw new UnsupportedOperationException();
  }

  @Override
  protected SocketAddress localAddress0() {
    return new LocalAddress("muxed");
  }

  @Override
  protected SocketAddress remoteAddress0() {
    return new LocalAddress("muxed");
  }

  @Override
  protected AbstractUnsafe newUnsafe() {
    return new AbstractUnsafe() {
      @Override
      public void connect(SocketAddress remote, SocketAddress local, ChannelPromise promise) {
        throw new UnsupportedOperationException();
      }
    };
  }
}
