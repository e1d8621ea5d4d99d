package io.grpcstream.libp2p.security.tls;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolConfig.Protocol;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectedListenerFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectorFailureBehavior;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.OpenSslCachingX509KeyManagerFactory;
import io.netty.handler.ssl.ReferenceCountedOpenSslEngine;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.util.KeyManagerFactoryWrapper;
import io.netty.internal.tcnative.SSL;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManager;
import org.jspecify.annotations.Nullable;

/**
 * Engines of BoringSSL, through netty-tcnative. A context is made once for each role and list of
 * protocols. BoringSSL chooses the ciphers of TLS 1.3 itself, by what the processor is good at.
 */
final class BoringSslEngines implements TlsEngines {
  /** A header, which announces a byte, and the byte. */
  private static final byte[] ANY_RECORD = {23, 3, 3, 0, 1, 0};

  private record Use(boolean initiator, List<String> protocols) {}

  private final KeyManagerFactory keys;
  private final TrustManager verifier;
  private final Map<Use, SslContext> contexts = new ConcurrentHashMap<>();

  BoringSslEngines(KeyManager keys, TrustManager verifier) {
    // Keeps the certificate and key in BoringSSL's form, which Netty else makes for each handshake.
    this.keys = new OpenSslCachingX509KeyManagerFactory(new KeyManagerFactoryWrapper(keys));
    this.verifier = verifier;
  }

  @Override
  public SSLEngine newEngine(ByteBufAllocator allocator, boolean initiator, List<String> protocols)
      throws SSLException {
    Use use = new Use(initiator, protocols);
    SslContext context = contexts.get(use);
    if (context == null) {
      context = newContext(use);
      contexts.put(use, context);
    }
    SSLEngine engine = context.newEngine(allocator);
    if (!initiator) {
      // Netty switches them on for each engine. Who resumed a session would show no certificate.
      SSL.setOptions(((ReferenceCountedOpenSslEngine) engine).sslPointer(), SSL.SSL_OP_NO_TICKET);
    }
    return engine;
  }

  private SslContext newContext(Use use) throws SSLException {
    SslContextBuilder builder =
        use.initiator
            ? SslContextBuilder.forClient().keyManager(keys)
            : SslContextBuilder.forServer(keys).clientAuth(ClientAuth.REQUIRE);
    return builder
        .sslProvider(SslProvider.OPENSSL)
        .protocols(TLS_1_3)
        .ciphers(CIPHERS)
        .trustManager(verifier)
        .endpointIdentificationAlgorithm(null)
        .applicationProtocolConfig(
            // Its only behaviour for lists without a common member that does not make one up: to
            // agree on nothing, which the handshake's end refuses.
            new ApplicationProtocolConfig(
                Protocol.ALPN,
                SelectorFailureBehavior.NO_ADVERTISE,
                SelectedListenerFailureBehavior.ACCEPT,
                use.protocols))
        .build();
  }

  /**
   * Where BoringSSL has something to say to the remote, Netty throws only at the next record, which
   * may never come. Meanwhile BoringSSL, which reads nothing more, says of it what it says of a
   * connection that the remote has ended. To whatever it is given next it answers with the reason.
   */
  @Override
  public @Nullable SSLException unsaidFailure(SSLEngine engine) {
    long ssl = ((ReferenceCountedOpenSslEngine) engine).sslPointer();
    boolean failed =
        ssl != 0
            && !engine.isInboundDone()
            && (SSL.getShutdown(ssl) & SSL.SSL_RECEIVED_SHUTDOWN) != 0;
    if (!failed) {
      return null;
    }
    try {
      engine.unwrap(ByteBuffer.wrap(ANY_RECORD), ByteBuffer.allocate(ANY_RECORD.length));
    } catch (SSLException e) {
      return e;
    }
    return new SSLException("a record is not authentic, or none that may come now");
  }
}
