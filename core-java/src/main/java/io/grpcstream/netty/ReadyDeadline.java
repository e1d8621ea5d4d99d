package io.grpcstream.netty;

import io.grpc.Attributes;
import io.grpc.Status;
import io.grpc.internal.DisconnectError;
import io.grpc.internal.ManagedClientTransport;
import io.grpcstream.libp2p.text.DurationText;
import io.grpcstream.libp2p.util.EventLoops;
import java.time.Duration;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/**
 * Bounds the wait for a peer that has agreed to a stream to say its first word of HTTP/2, which
 * makes the transport ready. While it says nothing, calls wait, and a channel that tries its peers
 * one after the other would never come to the next.
 */
final class ReadyDeadline implements ManagedClientTransport.Listener {
  /**
   * For as long a GrpcStream lets a stream wait to be accepted by default: a peer that accepts in
   * time is not given up just before.
   */
  static final Duration TIMEOUT = Duration.ofSeconds(30);

  private final StreamEnd end;
  private final ManagedClientTransport.Listener listener;
  private final Duration timeout;
  private final @Nullable Future<?> timer;

  /**
   * Begins the time of the transport on the stream of {@code end}, and passes events on.
   *
   * @param timeout {@link #TIMEOUT} as a rule
   */
  ReadyDeadline(StreamEnd end, Duration timeout, ManagedClientTransport.Listener listener) {
    this.end = end;
    this.listener = listener;
    this.timeout = timeout;
    timer = EventLoops.schedule(end.stream().channel().eventLoop(), this::expired, timeout);
  }

  private void expired() {
    end.record(
        "the peer said no word of HTTP/2 within " + DurationText.of(timeout),
        null,
        StreamEnd.UNHEARD);
    end.stream().reset();
  }

  /** The stream has ended. */
  void stop() {
    if (timer != null) {
      timer.cancel(false);
    }
  }

  @Override
  public Attributes filterTransport(Attributes attributes) {
    return listener.filterTransport(attributes);
  }

  @Override
  public void transportReady() {
    stop();
    listener.transportReady();
  }

  @Override
  public void transportInUse(boolean inUse) {
    listener.transportInUse(inUse);
  }

  @Override
  public void transportShutdown(Status status, DisconnectError error) {
    listener.transportShutdown(status, error);
  }

  @Override
  public void transportTerminated() {
    listener.transportTerminated();
  }
}
