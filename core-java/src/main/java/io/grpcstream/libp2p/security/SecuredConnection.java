package io.grpcstream.libp2p.security;

import io.grpcstream.libp2p.crypto.PublicKey;
import org.jspecify.annotations.Nullable;

/**
 * What a handshake agreed.
 *
 * @param remoteKey the identity key the remote proved
 * @param muxer the muxer agreed inside the handshake, or null if it must still be negotiated
 */
public record SecuredConnection(PublicKey remoteKey, @Nullable String muxer) {}
