package io.grpcstream.netty;

import com.google.common.util.concurrent.Futures;
import com.google.common.util.concurrent.ListenableFuture;
import io.grpc.Attributes;
import io.grpc.CallOptions;
import io.grpc.ClientStreamTracer;
import io.grpc.InternalChannelz.SocketOptions;
import io.grpc.InternalChannelz.SocketStats;
import io.grpc.InternalChannelz.TransportStats;
import io.grpc.InternalLogId;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.internal.ClientStream;
import io.grpc.internal.ClientStreamListener.RpcProgress;
import io.grpc.internal.ConnectionClientTransport;
import io.grpc.internal.FailingClientStream;
import io.grpc.internal.SimpleDisconnectError;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.util.EventLoops;
import io.grpcstream.targets.PeerTargetAddress;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A transport to a peer: opens a stream when gRPC starts it, over a connection that the host has or
 * makes, and is grpc-netty's transport over that stream from then on. gRPC makes no call before the
 * peer has answered on the stream, so that nothing waits in here.
 *
 * <p>Its end is that of the stream. The connection is the host's and stays. Any thread; once there
 * is a stream, all is done on its event loop.
 */
final class StreamTransport implements ConnectionClientTransport {
  /** How long after {@link #shutdownNow} a peer that reads nothing may still hold the stream. */
  private static final Duration CUT_AFTER = Duration.ofSeconds(5);

  private final InternalLogId logId;
  private final PeerTargetAddress address;
  private final PeerDials dials;
  private final StreamStarter starter;
  private final Supplier<ConnectionClientTransport> netty;
  private final Object lock = new Object();

  private final Duration readyTimeout;
  private volatile @Nullable AttemptListener listener;
  private @Nullable CompletableFuture<Stream> opening;
  private volatile @Nullable ConnectionClientTransport delegate;
  private volatile @Nullable StreamCalls calls;

  /** Why there is no stream any more, or none to come. */
  private volatile @Nullable Status over;

  /**
   * A transport that has not begun.
   *
   * @param starter starts the one over the stream
   * @param netty makes that one
   * @param readyTimeout how long a peer that has agreed to a stream may say nothing on it
   */
  StreamTransport(
      PeerTargetAddress address,
      PeerDials dials,
      StreamStarter starter,
      Supplier<ConnectionClientTransport> netty,
      Duration readyTimeout) {
    this.address = address;
    this.dials = dials;
    this.starter = starter;
    this.netty = netty;
    this.readyTimeout = readyTimeout;
    logId = InternalLogId.allocate(StreamTransport.class, address.toString());
  }

  @Override
  public @Nullable Runnable start(Listener grpc) {
    AttemptListener attempt = new AttemptListener(address, dials, grpc);
    listener = attempt;
    CompletableFuture<Stream> stream = dials.open(address);
    synchronized (lock) {
      opening = stream;
    }
    stream.whenComplete(
        (opened, failure) -> {
          if (failure != null) {
            end(dials.statusOf(failure), attempt);
          } else if (!EventLoops.run(
              // gRPC's part begins on the event loop of the stream, where this runs as a rule.
              opened.channel().eventLoop(), () -> begin(opened, attempt))) {
            end(new StreamEnd(opened).record(StreamEnd.LOST), attempt);
          }
        });
    return null;
  }

  private void begin(Stream stream, AttemptListener attempt) {
    StreamEnd end = new StreamEnd(stream);
    StreamCalls onStream;
    ConnectionClientTransport transport;
    EventLoop loop = stream.channel().eventLoop();
    try {
      StreamAttachment.claim(stream);
      onStream = StreamCalls.on(end);
      transport = netty.get();
    } catch (RuntimeException | LinkageError e) {
      stream.reset();
      end(dials.statusOf(e), attempt);
      return;
    }
    synchronized (lock) {
      if (over != null) {
        stream.reset();
        return;
      }
      calls = onStream;
      delegate = transport;
    }
    dials.begun(stream);
    ReadyDeadline ready = new ReadyDeadline(end, readyTimeout, attempt);
    // One turn after the end: by then gRPC's own listeners have heard of it.
    stream
        .channel()
        .closeFuture()
        .addListener(
            closed -> {
              ready.stop();
              EventLoops.runLaterOrHere(
                  loop,
                  () -> {
                    end.record(StreamEnd.LOST);
                    onStream.streamEnded(loop);
                    dials.ended(stream);
                  });
            });
    try {
      starter.start(transport, end, ready);
    } catch (RuntimeException | LinkageError e) {
      stream.reset();
      ready.transportShutdown(dials.statusOf(e), SimpleDisconnectError.UNKNOWN);
      ready.transportTerminated();
      return;
    }
    stream.channel().config().setAutoRead(true);
    stream.hostShutdown().thenRun(() -> drain(end, ready));
  }

  /** Takes no more calls, lets those in flight finish, then closes the stream. */
  private void drain(StreamEnd end, Listener listener) {
    Status reason = end.record("shut down on this side, with its host", null);
    listener.transportShutdown(reason, SimpleDisconnectError.SUBCHANNEL_SHUTDOWN);
    EventLoops.run(end.stream().channel().eventLoop(), () -> endWhenQuiet(end, reason));
  }

  private void endWhenQuiet(StreamEnd end, Status reason) {
    ConnectionClientTransport transport = delegate;
    Http2ConnectionHandler http2 =
        end.stream().channel().pipeline().get(Http2ConnectionHandler.class);
    if (transport == null || http2 == null) {
      end.stream().reset();
    } else {
      IdleTransport.await(
          end.stream().channel(), http2.connection(), () -> transport.shutdown(reason));
    }
  }

  /** Ends a transport that has no stream. */
  private void end(Status reason, Listener listener) {
    synchronized (lock) {
      if (over != null || delegate != null) {
        return;
      }
      over = reason;
    }
    listener.transportShutdown(reason, SimpleDisconnectError.UNKNOWN);
    listener.transportTerminated();
  }

  @Override
  public void shutdown(Status reason) {
    CompletableFuture<Stream> dial;
    ConnectionClientTransport transport;
    synchronized (lock) {
      dial = opening;
      transport = delegate;
    }
    AttemptListener told = listener;
    if (told != null) {
      told.giveUp();
    }
    if (transport == null) {
      if (told != null) { // Else gRPC has not begun, and does not.
        end(reason, told);
      }
      if (dial != null) {
        dial.cancel(false);
      }
      return;
    }
    StreamCalls onStream = Objects.requireNonNull(calls, "they come with the transport");
    onStream.end().record("its channel uses it no longer", null);
    // There, it comes after the start of the transport, which would not hear of it before.
    EventLoops.run(onStream.end().stream().channel().eventLoop(), () -> transport.shutdown(reason));
  }

  @Override
  public void shutdownNow(Status reason) {
    shutdown(reason);
    ConnectionClientTransport transport = delegate;
    StreamCalls onStream = calls;
    if (transport == null || onStream == null) {
      return;
    }
    Stream stream = onStream.end().stream();
    EventLoop loop = stream.channel().eventLoop();
    EventLoops.run(loop, () -> transport.shutdownNow(reason));
    // gRPC leaves alone the calls that are complete for it, but not for their users.
    EventLoops.runLaterOrHere(loop, onStream::drop);
    if (stream.channel().isOpen()) {
      ScheduledFuture<?> cut = EventLoops.schedule(loop, stream::reset, CUT_AFTER);
      if (cut != null) {
        stream.channel().closeFuture().addListener(closed -> cut.cancel(false));
      }
    }
  }

  @Override
  public ClientStream newStream(
      MethodDescriptor<?, ?> method,
      Metadata headers,
      CallOptions options,
      ClientStreamTracer[] tracers) {
    ConnectionClientTransport transport = delegate;
    return transport != null
        ? transport.newStream(method, headers, options, tracers)
        : new FailingClientStream(noStream(), RpcProgress.REFUSED, tracers);
  }

  /** For gRPC that asks a transport which has ended, or not begun: another one may do. */
  private Status noStream() {
    Status reason = over;
    return reason != null
        ? reason
        : Status.UNAVAILABLE.withDescription("there is no stream yet to peer " + address.peer());
  }

  @Override
  public void ping(PingCallback callback, Executor executor) {
    ConnectionClientTransport transport = delegate;
    if (transport != null) {
      transport.ping(callback, executor);
    } else {
      executor.execute(() -> callback.onFailure(noStream()));
    }
  }

  @Override
  public Attributes getAttributes() {
    ConnectionClientTransport transport = delegate;
    return transport == null ? Attributes.EMPTY : transport.getAttributes();
  }

  @Override
  public ListenableFuture<SocketStats> getStats() {
    ConnectionClientTransport transport = delegate;
    return transport != null
        ? transport.getStats()
        : Futures.immediateFuture(
            new SocketStats(
                new TransportStats(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
                dials.self(),
                address,
                new SocketOptions.Builder().build(),
                null));
  }

  @Override
  public InternalLogId getLogId() {
    return logId;
  }

  @Override
  public String toString() {
    return logId + " to peer " + address.peer();
  }
}
