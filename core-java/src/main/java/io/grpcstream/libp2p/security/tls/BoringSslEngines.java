package io.grpcstream.libp2p.security.tls;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolConfig.Protocol;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectedListenerFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectorFailureBehavior;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManager;

/**
 * Engines of BoringSSL, through netty-tcnative. A context is made once for each role and list of
 * protocols. BoringSSL chooses the ciphers of TLS 1.3 itself, by what the processor is good at, and
 * Netty switches its tickets off.
 */
final class BoringSslEngines implements TlsEngines {
  private record Use(boolean initiator, List<String> protocols) {}

  private final KeyManager keys;
  private final TrustManager verifier;
  private final Map<Use, SslContext> contexts = new ConcurrentHashMap<>();

  BoringSslEngines(KeyManager keys, TrustManager verifier) {
    this.keys = keys;
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
    return context.newEngine(allocator);
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
}
