package io.grpcstream.libp2p.connection;

import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;

/**
 * Between whom a connection is, and how that was made sure.
 *
 * @param remotePeer the peer whose identity the handshake proved
 * @param remoteAddress the address dialled, or the one the peer came from; without a peer id
 * @param initiator whether this side dialled
 * @param security the protocol that secures the connection
 * @param muxer the protocol that multiplexes it
 */
record ConnectionIdentity(
    PeerId localPeer,
    PeerId remotePeer,
    Multiaddr remoteAddress,
    boolean initiator,
    String security,
    String muxer) {}
