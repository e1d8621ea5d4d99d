package io.grpcstream.libp2p.security;

import io.grpcstream.libp2p.crypto.PublicKey;

/** Decides, inside the handshake, whether the remote's proven identity is acceptable. */
@FunctionalInterface
public interface RemoteKeyCheck {
  /** Throws if the handshake must fail; the exception becomes the failure of the handshake. */
  void check(PublicKey remoteKey) throws Exception;
}
