package io.grpcstream.libp2p.security.tls;

import io.grpcstream.libp2p.TlsProvider;
import io.netty.buffer.ByteBufAllocator;
import java.security.GeneralSecurityException;
import java.util.List;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * Makes the engines of one host: TLS 1.3 only, with client authentication, without session tickets
 * and server names. Thread-safe.
 */
interface TlsEngines {
  /** The only version there is (tls/tls.md, "Handshake Protocol"). */
  String TLS_1_3 = "TLSv1.3";

  /** The ciphers of TLS 1.3, the fastest first. */
  List<String> CIPHERS =
      List.of("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256");

  /**
   * An engine for one connection.
   *
   * @param protocols what this side offers, or accepts, by ALPN, in order of preference
   */
  SSLEngine newEngine(ByteBufAllocator allocator, boolean initiator, List<String> protocols)
      throws SSLException;

  /**
   * Why {@code engine} has refused what it received after the handshake, if it did and has told the
   * remote so, but has thrown nothing; else null.
   */
  @Nullable SSLException unsaidFailure(SSLEngine engine);

  /** The engines of an implementation that is available. */
  static TlsEngines of(TlsProvider provider, TlsIdentity identity, PeerVerifier verifier)
      throws GeneralSecurityException {
    IdentityKeyManager keys = new IdentityKeyManager(identity);
    return switch (provider) {
      case JDK -> new JdkEngines(keys, verifier);
      case BORINGSSL -> new BoringSslEngines(keys, verifier);
    };
  }
}
