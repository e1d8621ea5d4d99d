package io.grpcstream.netty;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.util.EventLoops;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import java.util.concurrent.TimeUnit;

/**
 * A gRPC channel over exactly one stream.
 *
 * <p>The two live and die together. The transport starts with the channel, so that closing the
 * channel closes the stream even if no call was ever made. When the stream ends, calls in flight
 * get their real status, every later call, also one that waits for readiness, fails at once with
 * {@code UNAVAILABLE} and the reason, and the channel shuts itself down: it can never come back.
 */
public final class OneStreamChannel extends DelegatingChannel {
  /** How long after {@link #shutdownNow} a peer that reads nothing may still hold the stream. */
  private static final long CUT_AFTER_SECONDS = 5;

  private final StreamEnd end;
  private final OneStreamCalls calls;

  OneStreamChannel(ManagedChannel delegate, OneStreamCalls calls) {
    super(delegate);
    this.calls = calls;
    end = calls.end();
  }

  /** Starts the transport; called once, before the channel is handed out. */
  void start() {
    io.netty.channel.Channel channel = end.stream().channel();
    if (channel.eventLoop().isShutdown()) { // Nobody is told of the channel's end any more.
      ended(channel.eventLoop());
      return;
    }
    delegate.getState(true);
    // gRPC's handlers are in place, or are about to be by a task queued before this one.
    EventLoops.run(end.stream().channel().eventLoop(), () -> channel.config().setAutoRead(true));
    channel.closeFuture().addListener(closed -> ended(channel.eventLoop()));
    end.stream().hostShutdown().thenRun(() -> drain("shut down on this side, with its host"));
  }

  private void ended(EventLoop loop) {
    end.record(StreamEnd.LOST);
    // Not at once: calls being started just now get the reason from the balancer.
    EventLoops.runLaterOrHere(end.stream().channel().eventLoop(), delegate::shutdown);
    calls.streamEnded(loop);
  }

  /** The stream below. */
  public Stream stream() {
    return end.stream();
  }

  @Override
  public <Q, R> ClientCall<Q, R> newCall(MethodDescriptor<Q, R> method, CallOptions options) {
    Status ended = end.status();
    if (ended == null && !end.stream().channel().isActive()) {
      ended = end.record(StreamEnd.LOST); // The listeners of its end are about to run.
    }
    return ended == null
        ? calls.newCall(delegate, method, options)
        : new FailingCall<>(ended, options.getExecutor());
  }

  /**
   * Takes no more calls, lets those in flight finish, then closes the stream. Like {@link
   * #shutdown}, except that the statuses of later calls, and of calls that are cut off when the
   * stream is reset, name the peer and {@code reason}. Any thread, never blocks.
   */
  public void drain(String reason) {
    end.record(reason, null);
    EventLoops.run(end.stream().channel().eventLoop(), this::shutdownWhenQuiet);
  }

  private void shutdownWhenQuiet() {
    Http2ConnectionHandler http2 =
        end.stream().channel().pipeline().get(Http2ConnectionHandler.class);
    if (http2 == null) {
      delegate.shutdown();
    } else {
      IdleTransport.await(end.stream().channel(), http2.connection(), delegate::shutdown);
    }
  }

  /**
   * Resets the stream: calls in flight fail, and messages that arrived and were not asked for are
   * dropped. Any thread, never blocks.
   */
  public void cut() {
    end.stream().reset();
    EventLoops.runLaterOrHere(end.stream().channel().eventLoop(), calls::drop);
  }

  /** Lets calls in flight finish, then closes the stream. */
  @Override
  public ManagedChannel shutdown() {
    end.record("its channel was shut down", null);
    delegate.shutdown();
    return this;
  }

  /** Cancels calls in flight, drops what was not asked for, and closes the stream. */
  @Override
  public ManagedChannel shutdownNow() {
    end.record("its channel was shut down", null);
    delegate.shutdownNow();
    Stream stream = end.stream();
    // gRPC leaves alone the calls that are complete for it, but not for their users.
    EventLoops.runLaterOrHere(stream.channel().eventLoop(), calls::drop);
    EventLoops.run(
        stream.channel().eventLoop(),
        () -> {
          if (stream.channel().isOpen()) {
            var cut =
                stream
                    .channel()
                    .eventLoop()
                    .schedule(stream::reset, CUT_AFTER_SECONDS, TimeUnit.SECONDS);
            stream.channel().closeFuture().addListener(closed -> cut.cancel(false));
          }
        });
    return this;
  }

  /** Does nothing: there is no reconnecting. */
  @Override
  public void resetConnectBackoff() {}

  /** Does nothing: without its transport the channel would be of no more use. */
  @Override
  public void enterIdle() {}

  @Override
  public String toString() {
    return "gRPC channel over " + StreamAttachment.describe(end.stream());
  }
}
