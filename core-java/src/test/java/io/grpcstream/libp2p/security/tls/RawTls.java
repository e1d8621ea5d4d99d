package io.grpcstream.libp2p.security.tls;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.stream.Stream;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509TrustManager;

/** TLS over a plain socket for peers that break libp2p's rules; trusts everyone. */
public final class RawTls {
  private final X509Certificate[] chain;
  private PrivateKey key;
  private SSLContext context;
  private String version = "TLSv1.3";
  private String[] protocols = {"/yamux/1.0.0", "libp2p"};

  /** One that shows these certificates and has the key of the first; or that has none. */
  public RawTls(RawCertificate... chain) {
    this.chain = Stream.of(chain).map(RawCertificate::certificate).toArray(X509Certificate[]::new);
    key = chain.length == 0 ? null : chain[0].privateKey();
  }

  /** Signs with that key instead. */
  public RawTls key(PrivateKey other) {
    key = other;
    return this;
  }

  /** Speaks that version only. */
  public RawTls version(String only) {
    version = only;
    return this;
  }

  /** Offers, or accepts, these by ALPN; none to leave it out. */
  public RawTls protocols(String... names) {
    protocols = names;
    return this;
  }

  /** TLS over {@code socket}, the handshake not begun. */
  public SSLSocket over(Socket socket, boolean client) throws IOException {
    SSLSocket tls =
        (SSLSocket) context().getSocketFactory().createSocket(socket, null, socket.getPort(), true);
    tls.setUseClientMode(client);
    SSLParameters parameters = tls.getSSLParameters();
    parameters.setProtocols(new String[] {version});
    parameters.setApplicationProtocols(protocols);
    parameters.setNeedClientAuth(true);
    tls.setSSLParameters(parameters);
    return tls;
  }

  /**
   * The handshake with one who refuses this peer: it may look good, or break off at any point, also
   * while this peer is still sending; but then there is nothing for it.
   */
  public static void getNothing(SSLSocket socket) throws IOException {
    try {
      socket.startHandshake();
      assertThat(socket.getInputStream().read()).isEqualTo(-1);
    } catch (SSLException | SocketException e) {
      assertThat(e).hasMessageNotContaining("timed out");
    }
  }

  /**
   * Asks for new keys (KeyUpdate, RFC 8446, section 4.6.3), again and again until the other side
   * closes; reads nothing.
   */
  public static void askForKeysUntilClosed(SSLSocket socket) {
    try {
      while (true) {
        socket.startHandshake();
      }
    } catch (IOException e) {
      assertThat(e).hasMessageNotContaining("timed out");
    }
  }

  /** The first message of a client. */
  public byte[] clientHello() throws IOException {
    SSLEngine engine = context().createSSLEngine();
    engine.setUseClientMode(true);
    engine.setEnabledProtocols(new String[] {version});
    ByteBuffer hello = ByteBuffer.allocate(engine.getSession().getPacketBufferSize());
    engine.wrap(ByteBuffer.allocate(0), hello);
    byte[] bytes = new byte[hello.flip().remaining()];
    hello.get(bytes);
    return bytes;
  }

  private SSLContext context() {
    if (context != null) {
      return context;
    }
    try {
      context = SSLContext.getInstance("TLS");
      context.init(new KeyManager[] {new Keys()}, new TrustManager[] {new Everyone()}, null);
      return context;
    } catch (GeneralSecurityException e) {
      throw new AssertionError(e);
    }
  }

  private final class Keys extends X509ExtendedKeyManager {
    private String alias(String... types) {
      if (chain.length == 0) {
        return null;
      }
      String own = key.getAlgorithm();
      return Stream.of(types).anyMatch(type -> type.equals(own)) ? "alias" : null;
    }

    @Override
    public String chooseClientAlias(String[] types, Principal[] issuers, Socket socket) {
      return alias(types);
    }

    @Override
    public String chooseServerAlias(String type, Principal[] issuers, Socket socket) {
      return alias(type);
    }

    @Override
    public String[] getClientAliases(String type, Principal[] issuers) {
      return new String[] {"alias"};
    }

    @Override
    public String[] getServerAliases(String type, Principal[] issuers) {
      return new String[] {"alias"};
    }

    @Override
    public X509Certificate[] getCertificateChain(String alias) {
      return chain;
    }

    @Override
    public PrivateKey getPrivateKey(String alias) {
      return key;
    }
  }

  private static final class Everyone implements X509TrustManager {
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type) {}

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }
}
