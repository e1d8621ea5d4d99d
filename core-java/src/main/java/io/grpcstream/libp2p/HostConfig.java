package io.grpcstream.libp2p;

import io.grpcstream.libp2p.crypto.PrivateKey;
import io.netty.channel.EventLoopGroup;
import java.security.Provider;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What {@link Host.Builder} has collected. */
final class HostConfig {
  @Nullable PrivateKey identity;
  final List<Multiaddr> listenAddresses = new ArrayList<>();
  List<String> security = List.of("/noise");
  Limits limits = Limits.defaults();
  ConnectionGater gater = ConnectionGater.ALLOW_ALL;
  @Nullable Provider cipherProvider;
  @Nullable EventLoopGroup group;
  int threads = Runtime.getRuntime().availableProcessors();
  String agentVersion = defaultAgentVersion();

  HostConfig copy() {
    HostConfig copy = new HostConfig();
    copy.identity = identity;
    copy.listenAddresses.addAll(listenAddresses);
    copy.security = security;
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
      throw new IllegalArgumentException("no security protocol given; known are [/noise]");
    }
    for (String protocol : protocols) {
      if (!protocol.equals("/noise")) {
        throw new IllegalArgumentException(
            "unknown security protocol " + protocol + "; known are [/noise]");
      }
    }
    security = protocols;
  }

  void setThreads(int threads) {
    if (threads <= 0) {
      throw new IllegalArgumentException("threads must be positive, is " + threads);
    }
    this.threads = threads;
  }

  private static String defaultAgentVersion() {
    String version = Host.class.getPackage().getImplementationVersion();
    return version == null ? "grpcstream" : "grpcstream/" + version;
  }
}
