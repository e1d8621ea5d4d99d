package io.grpcstream.libp2p.util;

/**
 * What the exceptions carry that say a peer broke the protocol of its connection, as opposed to
 * those of a connection that was lost, or of what this side cannot do: such an end is counted as
 * the peer's fault, and the operator sees it.
 */
public interface ProtocolViolation {}
