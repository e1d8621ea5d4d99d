package io.grpcstream.libp2p.mux;

/** A protocol that multiplexes connections. Thread-safe. */
public interface MuxerProtocol {
  /** The protocol id. */
  String id();

  /**
   * A muxer for one connection, to be {@linkplain Muxer#start started} there.
   *
   * @param initiator whether this side dialled the connection
   */
  Muxer create(boolean initiator, MuxerListener listener);
}
