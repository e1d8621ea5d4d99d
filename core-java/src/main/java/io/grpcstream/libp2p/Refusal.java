package io.grpcstream.libp2p;

/** The reasons for which a host turns a connection or a stream away; each is counted. */
public enum Refusal {
  /** {@link ConnectionGater#allowAccept} refused an inbound connection. */
  GATED_ACCEPT,
  /** {@link ConnectionGater#allowPeer} refused a peer once its identity was proven. */
  GATED_PEER,
  /** {@link ConnectionGater#allowDial} refused an address before it was dialled. */
  GATED_DIAL,
  /** {@link Limits#connections()}: connections in all. */
  CONNECTIONS,
  /** {@link Limits#pendingInboundConnections()}: inbound connections that have proved no peer. */
  PENDING_CONNECTIONS,
  /** {@link Limits#connectionsPerAddress()}. */
  CONNECTIONS_PER_ADDRESS,
  /** {@link Limits#connectionsPerPeer()}. */
  CONNECTIONS_PER_PEER,
  /** {@link Limits#peerInfoBytes()}: what a connected peer told about itself was dropped. */
  PEER_INFO,
  /** The other end of a connection is this host itself. */
  SELF,
  /** The peer at an address proved another identity than the one dialled. */
  PEER_ID_MISMATCH,
  /** A connection was not ready within its deadline, or its handshake failed. */
  UPGRADE_FAILED,
  /** A peer broke a protocol and lost its connection. */
  PROTOCOL_VIOLATION,
  /** A connection was closed because this side failed, as with a library of another version. */
  FAILED_HERE,
  /** A peer answered no ping, or read nothing of what it was sent, and lost its connection. */
  UNRESPONSIVE,
  /**
   * A connection was closed because the JVM had no memory for it, heap or direct ({@code
   * -XX:MaxDirectMemorySize}, {@code -Dio.netty.maxDirectMemory}): it has too little for the {@link
   * Limits} of this host.
   */
  OUT_OF_MEMORY,
  /** {@link Limits#inboundStreams()} or {@link Limits#outboundStreams()}: streams in all. */
  STREAMS,
  /**
   * {@link Limits#inboundStreamsPerPeer()} or {@link Limits#outboundStreamsPerPeer()}; or 256
   * inbound streams that came faster than they could be acknowledged.
   */
  STREAMS_PER_PEER,
  /** {@link Limits#inboundStreamsPerProtocol()} or {@link Limits#outboundStreamsPerProtocol()}. */
  STREAMS_PER_PROTOCOL,
  /** {@link Limits#pendingInboundStreams()}: inbound streams that have agreed on no protocol. */
  PENDING_STREAMS,
  /** A stream's negotiation failed, found no common protocol or ran out of time. */
  STREAM_NEGOTIATION_FAILED,
  /** A {@link StreamHandler} threw. */
  STREAM_HANDLER_FAILED,
  /** The user of a stream does not let its peer use the protocol. */
  NOT_AUTHORIZED,
  /** A stream was not taken up by its user: too many wait for that, or it waited too long. */
  NOT_ACCEPTED,
  /** A peer reset calls faster than they could be answered, and lost the stream they were on. */
  CALL_RESETS,
  /** A peer's calls held more bytes, unread and unfinished, than all that is left to share. */
  CALL_MEMORY,
  /** A peer began something (HTTP/2, a frame, a header block, a message) and did not go on. */
  STALLED
}
