package io.grpcstream.libp2p;

import io.grpcstream.libp2p.crypto.PrivateKey;
import io.grpcstream.libp2p.security.SecurityProtocol;
import io.grpcstream.libp2p.security.noise.NoiseSecurity;
import io.grpcstream.libp2p.security.tls.TlsProvider;
import io.grpcstream.libp2p.security.tls.TlsSecurity;
import io.netty.channel.EventLoopGroup;
import java.io.IOException;
import java.io.InputStream;
import java.security.Provider;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What {@link Host.Builder} has collected. */
final class HostConfig {
  /** Filled in by the build. */
  static final String VERSION_RESOURCE = "version.properties";

  static final String UNKNOWN_VERSION = "unknown";

  private static final Logger logger = LoggerFactory.getLogger(HostConfig.class);

  private static final List<String> KNOWN_SECURITY = List.of(NoiseSecurity.ID, TlsSecurity.ID);

  @Nullable PrivateKey identity;
  final List<Multiaddr> listenAddresses = new ArrayList<>();

  /** Null for the default, which depends on the TLS there is. */
  @Nullable List<String> security;

  @Nullable TlsProvider tlsProvider;
  Limits limits = Limits.defaults();
  ConnectionGater gater = ConnectionGater.ALLOW_ALL;
  @Nullable Provider cipherProvider;
  @Nullable EventLoopGroup group;
  int threads = Runtime.getRuntime().availableProcessors();
  String agentVersion = defaultAgentVersion();

  /** Why the host does without a BoringSSL that is there; null if it does not. */
  @Nullable String withoutBoringSsl;

  HostConfig copy() {
    HostConfig copy = new HostConfig();
    copy.identity = identity;
    copy.listenAddresses.addAll(listenAddresses);
    copy.security = security;
    copy.tlsProvider = tlsProvider;
    copy.limits = limits;
    copy.gater = gater;
    copy.cipherProvider = cipherProvider;
    copy.group = group;
    copy.threads = threads;
    copy.agentVersion = agentVersion;
    return copy;
  }

  void addListenAddress(Multiaddr address) {
    try {
      if (DialTarget.of(address).address() == null) {
        throw new IllegalArgumentException("cannot listen on a name: " + address);
      }
    } catch (Libp2pException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
    listenAddresses.add(address);
  }

  void setSecurity(List<String> protocols) {
    if (protocols.isEmpty()) {
      throw new IllegalArgumentException("no security protocol given; known are " + KNOWN_SECURITY);
    }
    for (String protocol : protocols) {
      if (!KNOWN_SECURITY.contains(protocol)) {
        throw new IllegalArgumentException(
            "unknown security protocol " + protocol + "; known are " + KNOWN_SECURITY);
      }
    }
    security = protocols.stream().distinct().toList();
  }

  /** The secure channels of a host with that identity, in order of preference. */
  List<SecurityProtocol> securityOf(PrivateKey key) {
    List<SecurityProtocol> protocols = new ArrayList<>();
    boolean bestTls = security == null || security.contains(TlsSecurity.ID) && tlsProvider == null;
    if (bestTls && TlsProvider.BORINGSSL.isBroken()) {
      withoutBoringSsl = TlsProvider.BORINGSSL.trouble().orElse(null);
    }
    for (String protocol : security != null ? security : defaultSecurity()) {
      protocols.add(
          protocol.equals(NoiseSecurity.ID)
              ? new NoiseSecurity(key, cipherProvider)
              : new TlsSecurity(key, tlsProvider != null ? tlsProvider : TlsProvider.best()));
    }
    return List.copyOf(protocols);
  }

  /**
   * With BoringSSL, TLS before Noise, since on JDK 17 it moves more bytes. Without it, Noise alone:
   * the JDK's TLS cannot read the certificates of rust-libp2p and js-libp2p, and a peer that could
   * have had Noise does not come back for it when the TLS it was offered fails.
   */
  private static List<String> defaultSecurity() {
    return TlsProvider.BORINGSSL.isAvailable()
        ? List.of(TlsSecurity.ID, NoiseSecurity.ID)
        : List.of(NoiseSecurity.ID);
  }

  void setThreads(int threads) {
    if (threads <= 0) {
      throw new IllegalArgumentException("threads must be positive, is " + threads);
    }
    this.threads = threads;
  }

  private static String defaultAgentVersion() {
    return "grpcstream/" + version(VERSION_RESOURCE);
  }

  /** The version in a resource beside this class; one repackaged without it has still a name. */
  static String version(String resource) {
    Properties properties = new Properties();
    try (InputStream in = HostConfig.class.getResourceAsStream(resource)) {
      if (in != null) {
        properties.load(in);
      }
    } catch (IOException | IllegalArgumentException e) {
      logger.debug("cannot read {}, so identify tells peers no version", resource, e);
    }
    String version = properties.getProperty("version", UNKNOWN_VERSION);
    return version.startsWith("$") ? UNKNOWN_VERSION : version; // not filled in: an IDE's build
  }
}
