package io.grpcstream.libp2p.security.tls;

import io.grpcstream.libp2p.TlsProvider;
import io.grpcstream.libp2p.crypto.PrivateKey;
import io.grpcstream.libp2p.libraries.Libraries;
import io.grpcstream.libp2p.security.RemoteKeyCheck;
import io.grpcstream.libp2p.security.SecuredConnection;
import io.grpcstream.libp2p.security.SecurityProtocol;
import io.grpcstream.libp2p.security.tls.PeerVerifier.Handshake;
import io.netty.channel.Channel;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.Promise;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;

/**
 * The TLS 1.3 secure channel, {@code /tls/1.0.0} (tls/tls.md), with the muxer agreed by ALPN
 * (connections/inlined-muxer-negotiation.md).
 *
 * <p>A handshake has no deadline of its own: the caller's covers all steps of an upgrade, and
 * closing the channel fails the future. The future fails with a {@link TlsException} that says what
 * the remote did, or with the exception of the {@link RemoteKeyCheck}.
 *
 * <p>As initiator, this side checks the remote's certificate and the key in it before it sends its
 * own certificate. As responder it has shown its own before, by the order of TLS. TLS tells the
 * initiator nothing of the responder's judgement: an initiator that is refused has a connection
 * that is closed soon after (tls/tls.md, "Peer Authentication").
 *
 * <p>Afterwards, a record that was changed, repeated or reordered is a {@link TlsException} in the
 * pipeline, and the channel is closed. So it is when the remote says the end ({@code
 * close_notify}). An end without that word is not told apart, since no stream takes the
 * connection's end for its own.
 */
public final class TlsSecurity implements SecurityProtocol {
  /** The multistream protocol id. */
  public static final String ID = "/tls/1.0.0";

  /** The application protocol that leaves the muxer to be negotiated later. */
  static final String NO_MUXER = "libp2p";

  private final PeerVerifier verifier = new PeerVerifier();
  private final TlsProvider provider;
  private final TlsEngines engines;

  /** TLS for a host with this identity, by the {@linkplain #bestProvider() best} provider. */
  public TlsSecurity(PrivateKey identity) {
    this(identity, bestProvider());
  }

  /**
   * TLS for a host with this identity. Makes the one certificate that all connections show.
   *
   * @throws IllegalArgumentException if the provider is not available
   * @throws IllegalStateException if a library it needs is there in a version that does not work
   */
  public TlsSecurity(PrivateKey identity, TlsProvider provider) {
    if (provider == TlsProvider.BORINGSSL && !BoringSsl.isAvailable()) {
      throw new IllegalArgumentException(
          "tls: %s is not available: %s".formatted(provider, BoringSsl.trouble()));
    }
    this.provider = provider;
    try {
      engines = TlsEngines.of(provider, TlsIdentity.make(identity), verifier);
    } catch (GeneralSecurityException e) {
      throw new IllegalArgumentException("tls: a cryptographic function is missing", e);
    } catch (LinkageError e) {
      throw new IllegalStateException("tls: " + Libraries.describe(e), e);
    }
  }

  /** BoringSSL if it is available, else the JDK. */
  public static TlsProvider bestProvider() {
    return BoringSsl.isAvailable() ? TlsProvider.BORINGSSL : TlsProvider.JDK;
  }

  @Override
  public String id() {
    return ID;
  }

  /** Who implements TLS itself. */
  public TlsProvider provider() {
    return provider;
  }

  @Override
  public Future<SecuredConnection> secure(
      Channel channel, boolean initiator, List<String> muxers, RemoteKeyCheck check) {
    Promise<SecuredConnection> secured = channel.eventLoop().newPromise();
    secured.setUncancellable();
    try {
      List<String> protocols = new ArrayList<>(muxers);
      protocols.add(NO_MUXER);
      SSLEngine engine = engines.newEngine(channel.alloc(), initiator, List.copyOf(protocols));
      Handshake handshake = verifier.expect(engine, initiator ? check : null);
      SslHandler ssl = new SslHandler(engine);
      ssl.setHandshakeTimeoutMillis(0);
      TlsHandshakeHandler handler =
          new TlsHandshakeHandler(
              engine,
              handshake,
              initiator ? key -> {} : check,
              verifier::forget,
              () -> engines.unsaidFailure(engine),
              secured);
      // Behind TLS in the pipeline but there before it, since TLS begins at once.
      channel.pipeline().addLast(handler);
      String name = channel.pipeline().context(handler).name();
      channel.pipeline().addBefore(name, null, new OutboundLimit());
      channel.pipeline().addBefore(name, null, ssl);
    } catch (SSLException e) {
      secured.setFailure(new TlsException("tls: no engine: " + e.getMessage(), e));
    } catch (LinkageError e) {
      secured.setFailure(e);
    }
    return secured;
  }
}
