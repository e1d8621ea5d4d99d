package io.grpcstream.libp2p.host;

import io.grpcstream.libp2p.ConnectionGater;
import io.grpcstream.libp2p.ConnectionManager;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.HostObserver;
import io.grpcstream.libp2p.Libp2pException;
import io.grpcstream.libp2p.Limits;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.TlsProvider;
import io.grpcstream.libp2p.addresses.DialTarget;
import io.grpcstream.libp2p.crypto.PrivateKey;
import io.grpcstream.libp2p.mux.yamux.YamuxConfig;
import io.grpcstream.libp2p.protocol.identify.IdentifyProtocol;
import io.grpcstream.libp2p.protocol.ping.PingProtocol;
import io.grpcstream.libp2p.security.SecurityProtocol;
import io.grpcstream.libp2p.security.noise.NoiseSecurity;
import io.grpcstream.libp2p.security.tls.BoringSsl;
import io.grpcstream.libp2p.security.tls.TlsSecurity;
import io.netty.channel.EventLoopGroup;
import java.io.IOException;
import java.io.InputStream;
import java.security.Provider;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What {@link Host.Builder} has collected. */
public final class HostConfig {
  /** Filled in by the build. */
  static final String VERSION_RESOURCE = "version.properties";

  public static final String UNKNOWN_VERSION = "unknown";

  private static final Logger logger = LoggerFactory.getLogger(HostConfig.class);

  private static final List<String> KNOWN_SECURITY = List.of(NoiseSecurity.ID, TlsSecurity.ID);

  public @Nullable PrivateKey identity;
  final List<Multiaddr> listenAddresses = new ArrayList<>();

  /** Null for the default, which depends on the TLS there is. */
  @Nullable List<String> security;

  public @Nullable TlsProvider tlsProvider;
  public Limits limits = Limits.defaults();
  public ConnectionManager connectionManager = ConnectionManager.none();
  public ConnectionGater gater = ConnectionGater.ALLOW_ALL;
  public @Nullable Provider cipherProvider;
  public @Nullable EventLoopGroup group;
  public final List<HostObserver> observers = new ArrayList<>();
  int threads = Runtime.getRuntime().availableProcessors();
  public String agentVersion = defaultAgentVersion();

  /** Why the host does without a BoringSSL that is there; null if it does not. */
  @Nullable String withoutBoringSsl;

  public HostConfig copy() {
    HostConfig copy = new HostConfig();
    copy.identity = identity;
    copy.listenAddresses.addAll(listenAddresses);
    copy.security = security;
    copy.tlsProvider = tlsProvider;
    copy.limits = limits;
    copy.connectionManager = connectionManager;
    copy.gater = gater;
    copy.cipherProvider = cipherProvider;
    copy.group = group;
    copy.observers.addAll(observers);
    copy.threads = threads;
    copy.agentVersion = agentVersion;
    return copy;
  }

  public void addListenAddress(Multiaddr address) {
    try {
      if (DialTarget.of(address).address() == null) {
        throw new IllegalArgumentException("cannot listen on a name: " + address);
      }
    } catch (Libp2pException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
    listenAddresses.add(address);
  }

  public void setSecurity(List<String> protocols) {
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

  /** What closes connections must do so before they are refused. */
  void checkWaterMarks() {
    if (connectionManager.highWater() >= limits.connections()) {
      throw new IllegalArgumentException(
          "the high-water mark must be below the limit of %d connections, is %d"
              .formatted(limits.connections(), connectionManager.highWater()));
    }
  }

  YamuxConfig yamux() {
    return YamuxConfig.defaults().toBuilder()
        .maxWindow(limits.streamWindow())
        .maxConnectionWindow(limits.connectionWindow())
        .keepAliveInterval(limits.keepAliveInterval())
        .keepAliveTimeout(limits.keepAliveTimeout())
        .maxInboundStreams(limits.inboundStreamsPerPeer())
        .maxOutboundStreams(limits.outboundStreamsPerPeer())
        .build();
  }

  /** How many streams a peer may have of what the host serves by itself. */
  Map<String, Integer> ownStreams() {
    // One exchange at a time on each connection.
    int exchanges = limits.connectionsPerPeer();
    return Map.of(
        PingProtocol.ID,
        PingProtocol.MAX_INBOUND_STREAMS_PER_PEER,
        IdentifyProtocol.ID,
        exchanges,
        IdentifyProtocol.PUSH_ID,
        exchanges);
  }

  /** The secure channels of a host with that identity, in order of preference. */
  List<SecurityProtocol> securityOf(PrivateKey key) {
    List<SecurityProtocol> protocols = new ArrayList<>();
    boolean bestTls = security == null || security.contains(TlsSecurity.ID) && tlsProvider == null;
    if (bestTls && BoringSsl.isBroken()) {
      withoutBoringSsl = BoringSsl.trouble();
    }
    for (String protocol : security != null ? security : defaultSecurity()) {
      protocols.add(
          protocol.equals(NoiseSecurity.ID)
              ? new NoiseSecurity(key, cipherProvider)
              : new TlsSecurity(
                  key, tlsProvider != null ? tlsProvider : TlsSecurity.bestProvider()));
    }
    return List.copyOf(protocols);
  }

  /**
   * With BoringSSL, TLS before Noise, since on JDK 17 it moves more bytes. Without it, Noise alone:
   * the JDK's TLS cannot read the certificates of rust-libp2p and js-libp2p, and a peer that could
   * have had Noise does not come back for it when the TLS it was offered fails.
   */
  private static List<String> defaultSecurity() {
    return BoringSsl.isAvailable()
        ? List.of(TlsSecurity.ID, NoiseSecurity.ID)
        : List.of(NoiseSecurity.ID);
  }

  public void setThreads(int threads) {
    if (threads <= 0) {
      throw new IllegalArgumentException("threads must be positive, is " + threads);
    }
    this.threads = threads;
  }

  private static String defaultAgentVersion() {
    return "grpcstream/" + version(VERSION_RESOURCE);
  }

  /** The version in a resource beside this class; one repackaged without it has still a name. */
  public static String version(String resource) {
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
