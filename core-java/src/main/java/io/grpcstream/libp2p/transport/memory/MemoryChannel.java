package io.grpcstream.libp2p.transport.memory;

import io.grpcstream.libp2p.util.EventLoops;
import io.netty.buffer.ByteBuf;
import io.netty.channel.AbstractChannel;
import io.netty.channel.ChannelConfig;
import io.netty.channel.ChannelMetadata;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPromise;
import io.netty.channel.DefaultChannelConfig;
import io.netty.channel.EventLoop;
import io.netty.channel.local.LocalAddress;
import io.netty.util.concurrent.SingleThreadEventExecutor;
import io.netty.util.internal.StringUtil;
import java.net.ConnectException;
import java.net.SocketAddress;
import java.nio.channels.AlreadyConnectedException;
import java.nio.channels.ClosedChannelException;
import org.jspecify.annotations.Nullable;

/**
 * One end of a memory connection: two {@link MemoryPipe}s, one to read from and one to write to.
 *
 * <p>Netty's own {@code LocalChannel} is not used because it passes every write on at once, however
 * little the other side reads; drops what was not read when the writer closes; and needs an event
 * loop made for it.
 *
 * <p>All work happens on this channel's event loop. Reading and resuming a stalled write always
 * start in a task of their own, so that two channels on one loop do not call into each other.
 */
final class MemoryChannel extends AbstractChannel {
  private static final ChannelMetadata METADATA = new ChannelMetadata(false, 16);

  private final ChannelConfig config = new DefaultChannelConfig(this);
  private final Runnable readTask = this::readNow;
  private final Runnable readLater = () -> onLoop(readTask);
  private final Runnable writeLater = () -> onLoop(() -> memoryUnsafe().resumeWrite());
  private final Runnable closeTask = () -> unsafe().close(voidPromise());

  private @Nullable MemoryPipe input;
  private @Nullable MemoryPipe output;
  private volatile @Nullable LocalAddress localAddress;
  private volatile @Nullable LocalAddress remoteAddress;
  private volatile boolean closed;
  private boolean readPending;

  /** The dialling end. */
  MemoryChannel() {
    super(null);
  }

  /** The accepting end of {@code dialler}'s connection. */
  private MemoryChannel(
      MemoryServerChannel parent, MemoryPipe input, MemoryPipe output, LocalAddress dialler) {
    super(parent);
    this.input = input;
    this.output = output;
    localAddress = parent.localAddress();
    remoteAddress = dialler;
  }

  @Override
  public ChannelConfig config() {
    return config;
  }

  @Override
  public ChannelMetadata metadata() {
    return METADATA;
  }

  @Override
  public boolean isOpen() {
    return !closed;
  }

  @Override
  public boolean isActive() {
    return !closed && remoteAddress != null;
  }

  @Override
  protected boolean isCompatible(EventLoop loop) {
    return true;
  }

  @Override
  protected @Nullable SocketAddress localAddress0() {
    return localAddress;
  }

  @Override
  protected @Nullable SocketAddress remoteAddress0() {
    return remoteAddress;
  }

  @Override
  protected AbstractUnsafe newUnsafe() {
    return new MemoryUnsafe();
  }

  private MemoryUnsafe memoryUnsafe() {
    return (MemoryUnsafe) unsafe();
  }

  @Override
  protected void doRegister(ChannelPromise promise) {
    // An event loop that ends takes its sockets with it; it must take this channel, too.
    if (eventLoop() instanceof SingleThreadEventExecutor executor) {
      executor.addShutdownHook(closeTask);
    }
    promise.setSuccess();
  }

  @Override
  protected void doDeregister() {
    if (eventLoop() instanceof SingleThreadEventExecutor executor) {
      executor.removeShutdownHook(closeTask);
    }
  }

  @Override
  protected void doBind(SocketAddress address) {
    localAddress = (LocalAddress) address;
  }

  @Override
  protected void doDisconnect() {
    doClose();
  }

  @Override
  protected void doClose() {
    closed = true;
    readPending = false;
    if (input != null) {
      input.closeReader();
    }
    if (output != null) {
      output.closeWriter();
    }
  }

  @Override
  protected void doBeginRead() {
    if (!readPending && input != null) {
      readPending = true;
      input.whenReadable(readLater);
    }
  }

  /** Reads up to what the configuration allows in one go, as a socket channel does. */
  private void readNow() {
    MemoryPipe pipe = input;
    if (!readPending || pipe == null) {
      return;
    }
    readPending = false;
    var sizes = unsafe().recvBufAllocHandle();
    sizes.reset(config);
    int count;
    boolean any = false;
    do {
      ByteBuf buffer = sizes.allocate(alloc());
      sizes.attemptedBytesRead(buffer.writableBytes());
      count = pipe.read(buffer);
      sizes.lastBytesRead(count);
      if (count <= 0) {
        buffer.release();
        break;
      }
      any = true;
      sizes.incMessagesRead(1);
      pipeline().fireChannelRead(buffer);
    } while (!closed && sizes.continueReading());
    sizes.readComplete();
    if (any) {
      pipeline().fireChannelReadComplete();
    }
    if (count < 0) {
      unsafe().close(voidPromise());
    }
  }

  @Override
  protected void doWrite(ChannelOutboundBuffer pending) throws Exception {
    MemoryPipe pipe = output;
    if (pipe == null) {
      throw new ClosedChannelException();
    }
    for (ByteBuf next = (ByteBuf) pending.current();
        next != null;
        next = (ByteBuf) pending.current()) {
      if (!next.isReadable()) {
        pending.remove();
        continue;
      }
      int count = pipe.write(next, writeLater);
      if (count < 0) {
        throw new ClosedChannelException();
      }
      if (count == 0) {
        return;
      }
      pending.removeBytes(count);
    }
  }

  @Override
  protected Object filterOutboundMessage(Object message) {
    if (message instanceof ByteBuf) {
      return message;
    }
    throw new UnsupportedOperationException(
        "memory: only byte buffers can be sent, not " + StringUtil.simpleClassName(message));
  }

  private void onLoop(Runnable task) {
    EventLoops.runLater(eventLoop(), task); // Unless it has ended: its hook closes this channel.
  }

  private final class MemoryUnsafe extends AbstractUnsafe {
    @Override
    public void connect(
        SocketAddress remote, @Nullable SocketAddress local, ChannelPromise promise) {
      if (!promise.setUncancellable() || !ensureOpen(promise)) {
        return;
      }
      if (remoteAddress != null) {
        safeSetFailure(promise, new AlreadyConnectedException());
        return;
      }
      MemoryServerChannel server = MemoryServerChannel.at((LocalAddress) remote);
      MemoryPipe toServer = new MemoryPipe();
      MemoryPipe fromServer = new MemoryPipe();
      LocalAddress self = MemoryServerChannel.freeAddress();
      if (server == null || !server.offer(new MemoryChannel(server, toServer, fromServer, self))) {
        String reason = server == null ? "nobody listens there" : "too many wait to be accepted";
        safeSetFailure(
            promise,
            new ConnectException(
                "memory: connection to "
                    + Long.toUnsignedString(MemoryTransport.number(remote))
                    + " refused: "
                    + reason));
        closeIfClosed();
        return;
      }
      localAddress = self;
      remoteAddress = (LocalAddress) remote;
      input = fromServer;
      output = toServer;
      safeSetSuccess(promise);
      pipeline().fireChannelActive();
    }

    void resumeWrite() {
      flush0();
    }
  }
}
