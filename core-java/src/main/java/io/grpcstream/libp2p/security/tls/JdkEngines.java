package io.grpcstream.libp2p.security.tls;

import io.netty.buffer.ByteBufAllocator;
import java.security.GeneralSecurityException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManager;
import org.jspecify.annotations.Nullable;

/** Engines of the JDK. */
final class JdkEngines implements TlsEngines {
  /**
   * No ticket may be used for longer than seven days (RFC 8446, section 4.6.1), so the JDK neither
   * sends nor keeps one when sessions shall last longer than that.
   */
  private static final int NO_TICKETS = (int) TimeUnit.DAYS.toSeconds(8);

  private final SSLContext context;
  private final String[] ciphers;

  JdkEngines(KeyManager keys, TrustManager verifier) throws GeneralSecurityException {
    context = SSLContext.getInstance(TLS_1_3);
    context.init(new KeyManager[] {keys}, new TrustManager[] {verifier}, null);
    context.getServerSessionContext().setSessionTimeout(NO_TICKETS);
    context.getClientSessionContext().setSessionTimeout(NO_TICKETS);
    Set<String> supported = Set.of(context.getSupportedSSLParameters().getCipherSuites());
    ciphers = CIPHERS.stream().filter(supported::contains).toArray(String[]::new);
  }

  @Override
  public SSLEngine newEngine(
      ByteBufAllocator allocator, boolean initiator, List<String> protocols) {
    // Without the peer's name and port there is no SNI and no search for a session to resume.
    SSLEngine engine = context.createSSLEngine();
    engine.setUseClientMode(initiator);
    SSLParameters parameters = engine.getSSLParameters();
    parameters.setProtocols(new String[] {TLS_1_3});
    parameters.setCipherSuites(ciphers);
    parameters.setUseCipherSuitesOrder(true);
    if (initiator) {
      parameters.setApplicationProtocols(protocols.toArray(String[]::new));
    } else {
      parameters.setNeedClientAuth(true);
      engine.setHandshakeApplicationProtocolSelector((e, offered) -> select(offered, protocols));
    }
    engine.setSSLParameters(parameters);
    return engine;
  }

  /**
   * The first that the client offers and this side has, since its order is what counts
   * (inlined-muxer-negotiation.md); null, which ends the handshake, if there is none.
   */
  private static @Nullable String select(List<String> offered, List<String> protocols) {
    return offered.stream().filter(protocols::contains).findFirst().orElse(null);
  }

  /** Its exceptions come at once. */
  @Override
  public @Nullable SSLException unsaidFailure(SSLEngine engine) {
    return null;
  }
}
