package io.grpcstream.libp2p.mux;

import io.netty.channel.ChannelFuture;
import io.netty.channel.socket.DuplexChannel;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** A stream as a channel, of which either side can end its own direction, or both at once. */
public interface StreamChannel extends DuplexChannel {
  /** What waits and what arrives from now on is dropped. Any thread. */
  @Override
  default ChannelFuture shutdownInput() {
    return shutdownInput(newPromise());
  }

  /**
   * Ends this side after all that was written; later writes fail. Completes when the layer below
   * has taken over all that was written, and the end, which may wait for the other side. Any
   * thread.
   */
  @Override
  default ChannelFuture shutdownOutput() {
    return shutdownOutput(newPromise());
  }

  /** Does both of these; completes as {@link #shutdownOutput()} does. Any thread. */
  @Override
  default ChannelFuture shutdown() {
    return shutdown(newPromise());
  }

  /**
   * Completes on the event loop once both sides have ended the stream, or one has reset it. A
   * closed channel may be ahead of that: what it wrote may still be on its way until the other side
   * ends the stream, too, for a bounded time.
   */
  Future<Void> finished();

  /**
   * Ends the stream in both directions at once: what is pending fails, what was not yet read is
   * dropped, and the other side sees a reset. Does nothing if the stream has ended. Any thread.
   */
  void reset();

  /**
   * From now on the other side has to go on taking what was written, or the stream is reset. To be
   * called when a close begins that shall send everything: the other side cannot keep a stream that
   * nobody wants any more by reading nothing. Any thread.
   */
  void expectEnd();

  /**
   * Why the stream has ended, or is about to, if that was not the doing of this side's user; else
   * null. A handler that closes the channel as its writes fail learns here what they fail of, which
   * the pipeline gets to see only after them. Any thread.
   */
  @Nullable IOException lossCause();
}
