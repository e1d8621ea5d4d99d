package io.grpcstream.libp2p.protocol.ping;

import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.StreamHandler;
import java.time.Duration;
import java.util.concurrent.CompletionStage;

/**
 * Ping 1.0.0 (libp2p specs, {@code ping/ping.md}): 32 random bytes there and the same back, as
 * often as the initiator likes, until it ends the stream.
 */
public final class PingProtocol {
  /** The protocol id. */
  public static final String ID = "/ipfs/ping/1.0.0";

  /** The bytes of one ping. */
  public static final int PAYLOAD_BYTES = 32;

  /**
   * Inbound ping streams that a host should grant one peer at a time. The specification says two: a
   * peer may open its next stream before we have seen the last one end.
   */
  public static final int MAX_INBOUND_STREAMS_PER_PEER = 2;

  /** How long an answer may take. */
  public static final Duration TIMEOUT = Duration.ofSeconds(10);

  /** How long an initiator may be silent before the responder resets the stream. */
  public static final Duration MAX_SILENCE = Duration.ofSeconds(60);

  private PingProtocol() {}

  /** Answers pings. */
  public static StreamHandler responder() {
    return stream -> stream.channel().pipeline().addLast(new PingResponder(stream));
  }

  /**
   * Sends one ping on a stream that was opened with {@link #ID}. May be called from any thread, and
   * again on the same stream once the stage has completed. Leaves the stream open: close it after
   * the last ping.
   *
   * <p>The stage completes on the stream's event loop with the round-trip time. It fails with a
   * {@link PingException} if no answer came within {@link #TIMEOUT}, or another than what was sent,
   * or the stream ended; then the stream has been reset.
   *
   * @throws IllegalStateException (through the stage) if a ping is under way on this stream
   */
  public static CompletionStage<Duration> ping(Stream stream) {
    return PingInitiator.ping(stream);
  }
}
