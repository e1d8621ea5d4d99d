package io.grpcstream.libp2p.security.tls;

import io.grpcstream.libp2p.crypto.PublicKey;
import io.grpcstream.libp2p.security.RemoteKeyCheck;
import java.net.Socket;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/**
 * Judges the certificates of all connections of a host. TLS asks it in the middle of a handshake,
 * of which it knows the engine only, so handshakes under way are kept by their engine. Thread-safe.
 *
 * <p>What it finds out is good for that one handshake: a session resumed without a certificate has
 * proven nothing here.
 */
final class PeerVerifier extends X509ExtendedTrustManager {
  private final Map<SSLEngine, Handshake> underWay = new ConcurrentHashMap<>();

  /** One handshake; used on its event loop only. */
  static final class Handshake {
    private final @Nullable RemoteKeyCheck check;
    private @Nullable PublicKey remoteKey;
    private @Nullable Exception failure;

    private Handshake(@Nullable RemoteKeyCheck check) {
      this.check = check;
    }

    /** The key in the remote's certificate; null if it has shown none, or a wrong one. */
    @Nullable PublicKey remoteKey() {
      return remoteKey;
    }

    /** Why the certificate was refused; null if it was not. */
    @Nullable Exception failure() {
      return failure;
    }

    private void judge(X509Certificate[] chain) throws CertificateException {
      try {
        if (chain.length != 1) {
          throw new TlsException("%d certificates, not one".formatted(chain.length));
        }
        PublicKey key = PeerCertificate.verify(chain[0].getEncoded(), Instant.now());
        if (check != null) {
          check.check(key);
        }
        remoteKey = key;
      } catch (Exception e) {
        failure = e;
        throw new CertificateException(e.getMessage(), e);
      }
    }
  }

  /**
   * Expects a certificate in the handshake of {@code engine}, until {@link #forget}.
   *
   * @param check judges the key in it, too; null to leave that for later
   */
  Handshake expect(SSLEngine engine, @Nullable RemoteKeyCheck check) {
    Handshake handshake = new Handshake(check);
    underWay.put(engine, handshake);
    return handshake;
  }

  /** Ends what {@link #expect} began. */
  void forget(SSLEngine engine) {
    underWay.remove(engine);
  }

  private void judge(X509Certificate[] chain, @Nullable SSLEngine engine)
      throws CertificateException {
    Handshake handshake = engine == null ? null : underWay.get(engine);
    if (handshake == null) {
      throw new CertificateException("a certificate outside of a handshake");
    }
    handshake.judge(chain);
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
      throws CertificateException {
    judge(chain, engine);
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
      throws CertificateException {
    judge(chain, engine);
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
      throws CertificateException {
    judge(chain, null);
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
      throws CertificateException {
    judge(chain, null);
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType)
      throws CertificateException {
    judge(chain, null);
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType)
      throws CertificateException {
    judge(chain, null);
  }

  /** None: there are no authorities. */
  @Override
  public X509Certificate[] getAcceptedIssuers() {
    return new X509Certificate[0];
  }
}
