package io.grpcstream.libp2p;

/** Receives inbound streams of one protocol. */
@FunctionalInterface
public interface StreamHandler {
  /**
   * Called on the stream's event loop, once its protocol is agreed and before any of its bytes are
   * delivered; must not block. Reading starts when this method returns, unless it turned {@code
   * autoRead} off: then bytes wait, uncredited, until it is turned on again. If it throws, the
   * stream is reset.
   */
  void onStream(Stream stream) throws Exception;
}
