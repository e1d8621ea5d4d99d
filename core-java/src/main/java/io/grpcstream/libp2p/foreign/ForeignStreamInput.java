package io.grpcstream.libp2p.foreign;

import io.grpcstream.libp2p.mux.ReceiveQueue;
import io.grpcstream.libp2p.mux.StreamInput;
import io.netty.buffer.ByteBuf;
import java.io.IOException;

/**
 * The receiving half of a foreign stream. The channel below cannot be told to stop, nor can its
 * peer: what waits has a limit, beyond which the stream is reset. Used on the event loop only.
 */
final class ForeignStreamInput extends StreamInput {
  private final ForeignStreamChannel channel;
  private int heldBytes;

  ForeignStreamInput(ForeignStreamChannel channel) {
    super(channel, false);
    this.channel = channel;
  }

  /** Takes over what has arrived; the end of the batch must follow. */
  void receive(ByteBuf bytes) {
    if (!isWanted() || channel.isRemoteEnded() || !bytes.isReadable()) {
      bytes.release();
      return;
    }
    int memory = ReceiveQueue.pinnedBytes(bytes);
    heldBytes += bytes.readableBytes();
    add(bytes);
    deliver();
    if (heldBytes > ForeignStreamChannel.MAX_HELD_BYTES && channel.isOpen()) {
      channel.fail(
          new IOException(
              String.format(
                  "%s was reset: its peer has sent %,d bytes that nobody has read yet, limit %,d,"
                      + " and reads of such a stream cannot be paused",
                  channel.name(), heldBytes, ForeignStreamChannel.MAX_HELD_BYTES)));
    } else {
      settle(memory);
    }
  }

  @Override
  protected void taken(int bytes) {
    heldBytes -= bytes;
  }
}
