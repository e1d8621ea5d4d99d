package io.grpcstream.libp2p.security.noise;

import io.grpcstream.libp2p.crypto.PrivateKey;
import io.grpcstream.libp2p.libraries.Libraries;
import io.grpcstream.libp2p.security.RemoteKeyCheck;
import io.grpcstream.libp2p.security.SecuredConnection;
import io.grpcstream.libp2p.security.SecurityProtocol;
import io.netty.channel.Channel;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.Promise;
import java.security.GeneralSecurityException;
import java.security.Provider;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The Noise secure channel, {@code /noise} (noise/README.md), with the muxer agreed inside the
 * handshake where both sides can (connections/inlined-muxer-negotiation.md).
 *
 * <p>A handshake has no deadline of its own: the caller's covers all steps of an upgrade, and
 * closing the channel fails the future. The future fails with a {@link NoiseException} that says
 * what the remote did, or with the exception of the {@link RemoteKeyCheck}. As initiator, no
 * message that could tell the remote who this side is has been sent by then.
 *
 * <p>Afterwards, a record that was cut, changed, repeated or reordered is a {@link NoiseException}
 * in the pipeline, and the channel is closed.
 */
public final class NoiseSecurity implements SecurityProtocol {
  /** The multistream protocol id. */
  public static final String ID = "/noise";

  private final NoiseCrypto crypto;
  private final NoiseIdentity identity;

  /** Noise for a host with this identity, with the JDK's ciphers. */
  public NoiseSecurity(PrivateKey identity) {
    this(identity, null);
  }

  /**
   * Noise for a host with this identity.
   *
   * @param provider supplies {@code ChaCha20-Poly1305} and, where it has it, {@code X25519}; null
   *     for the JDK's cipher and Bouncy Castle's X25519
   * @throws IllegalArgumentException if the provider lacks {@code ChaCha20-Poly1305}
   * @throws IllegalStateException if a library it needs is there in a version that does not work
   */
  public NoiseSecurity(PrivateKey identity, @Nullable Provider provider) {
    this.crypto = new NoiseCrypto(provider);
    try {
      crypto.newCipher();
      this.identity = new NoiseIdentity(crypto, identity);
    } catch (GeneralSecurityException e) {
      throw new IllegalArgumentException(
          "noise: a cryptographic function is missing"
              + (provider == null ? "" : " in " + provider),
          e);
    } catch (LinkageError e) {
      throw new IllegalStateException("noise: " + Libraries.describe(e), e);
    }
  }

  @Override
  public String id() {
    return ID;
  }

  @Override
  public Future<SecuredConnection> secure(
      Channel channel, boolean initiator, List<String> muxers, RemoteKeyCheck check) {
    Promise<SecuredConnection> secured = channel.eventLoop().newPromise();
    secured.setUncancellable();
    try {
      NoiseHandshake handshake = new NoiseHandshake(crypto, initiator, identity.staticKey());
      channel
          .pipeline()
          .addLast(
              new NoiseHandshakeHandler(
                  handshake, initiator, identity.payload(muxers), muxers, check, secured));
    } catch (GeneralSecurityException e) {
      secured.setFailure(new NoiseException("noise: no ephemeral key: " + e.getMessage(), e));
    } catch (LinkageError e) {
      secured.setFailure(e);
    }
    return secured;
  }
}
