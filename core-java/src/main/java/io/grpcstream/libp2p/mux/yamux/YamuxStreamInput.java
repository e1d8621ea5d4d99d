package io.grpcstream.libp2p.mux.yamux;

import io.grpcstream.libp2p.mux.StreamInput;
import io.netty.buffer.ByteBuf;

/**
 * The receiving half of a yamux stream: what waits is bounded by the receive window, and credit
 * goes back for what was read or dropped. Used on the event loop only.
 */
final class YamuxStreamInput extends StreamInput {
  private final YamuxStreamChannel channel;
  private final YamuxSession session;
  private final ReceiveWindow window;

  YamuxStreamInput(YamuxStreamChannel channel, YamuxSession session) {
    super(channel, true);
    this.channel = channel;
    this.session = session;
    window = session.newReceiveWindow();
  }

  ReceiveWindow window() {
    return window;
  }

  /** The next {@code bytes} of {@code in}, within the window, belong to this stream. */
  void receive(ByteBuf in, int bytes) {
    window.received(bytes);
    if (isWanted()) {
      add(in.readRetainedSlice(bytes));
      return;
    }
    in.skipBytes(bytes);
    window.delivered(bytes);
    if (channel.isOpen()) {
      deliveryPaused();
    }
  }

  @Override
  protected void taken(int bytes) {
    window.delivered(bytes);
  }

  /** Gives credit, if enough is owed. */
  @Override
  protected void deliveryPaused() {
    if (!channel.removed) {
      int credit = session.creditDue(window, channel.isRemoteEnded());
      if (credit > 0) {
        channel.output().sendCredit(credit);
      }
    }
  }
}
