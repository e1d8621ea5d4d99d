package io.grpcstream.libp2p.libraries;

import java.net.URL;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A library by its packages, and how old it may be. A class belongs to the first whose packages
 * hold it.
 *
 * <p>What counts as the version found is what the name of the jar says: where several jars were put
 * into one, the manifest is that of something else. No name, no judgement.
 */
enum Library {
  /** No age of its own: each goes with some releases of Netty, and trying it out tells. */
  TCNATIVE("io.netty.internal.tcnative.", "SSL", "0", "0"),
  NETTY_HTTP2("io.netty.handler.codec.http2.", "Http2Error", "0", Library.SAFE_NETTY),
  NETTY_HTTP("io.netty.handler.codec.http.", "HttpMethod", "0", Library.SAFE_NETTY),
  NETTY_CODEC("io.netty.handler.codec.", "CodecException", "0", Library.SAFE_NETTY),
  NETTY_HANDLER("io.netty.handler.", "ssl.SslHandler", Library.NETTY, Library.SAFE_NETTY),
  NETTY_EPOLL("io.netty.channel.epoll.", "Epoll", Library.NETTY, Library.SAFE_NETTY),
  NETTY_KQUEUE("io.netty.channel.kqueue.", "KQueue", Library.NETTY, Library.SAFE_NETTY),
  NETTY_TRANSPORT("io.netty.channel.", "Channel", Library.NETTY, Library.SAFE_NETTY),
  NETTY_BUFFER("io.netty.buffer.", "ByteBuf", Library.NETTY, Library.SAFE_NETTY),
  NETTY_COMMON("io.netty.util.", "Version", Library.NETTY, Library.SAFE_NETTY),
  GRPC_NETTY("io.grpc.netty.", "NettyServerBuilder", Library.GRPC, Library.GRPC),
  GRPC_CORE("io.grpc.internal.", "GrpcUtil", Library.GRPC, Library.GRPC),
  GRPC_STUB("io.grpc.stub.", "AbstractStub", Library.GRPC, Library.GRPC),
  GRPC_API("io.grpc.", "Status", Library.GRPC, Library.GRPC),
  /** What gRPC's own services (health, reflection) were generated for. */
  PROTOBUF("com.google.protobuf.", "CodedInputStream", "0", "4.29.0"),
  BOUNCY_CASTLE("org.bouncycastle.", "crypto.Signer", "0", "1.78"),
  GUAVA("com.google.common.", "base.Preconditions", "0", "30.0"),
  SLF4J("org.slf4j.", "Logger", "0", "2.0.0");

  /** The first whose event loops have a clock of their own; 4.1 lacks more. */
  static final String NETTY = "4.2.1.Final";

  /** The first whose HTTP/2 has no known hole by which a peer takes all memory. */
  static final String SAFE_NETTY = "4.2.15.Final";

  /** The first that lets a transport say whose word an authority is. */
  static final String GRPC = "1.72.0";

  private static final Pattern JAR = Pattern.compile("([^/!]+?-(\\d[^/!]*))\\.jar!");

  private final String packages;
  private final String type;
  private final String oldest;
  private final String advised;

  Library(String packages, String type, String oldest, String advised) {
    this.packages = packages;
    this.type = packages + type;
    this.oldest = oldest;
    this.advised = advised;
  }

  /** The library of a class; null for one that is none of these. */
  static @Nullable Library of(String className) {
    for (Library library : values()) {
      if (className.startsWith(library.packages)) {
        return library;
      }
    }
    return null;
  }

  /** Whether a host can do without it. */
  boolean isOfGrpc() {
    return packages.startsWith("io.grpc.");
  }

  /** Whether it is there and so old that nothing works. */
  boolean isTooOld() {
    return isOlderThan(oldest);
  }

  /** Whether it is there and older than it should be. */
  boolean isOld() {
    return isOlderThan(advised);
  }

  private boolean isOlderThan(String version) {
    MatchResult jar = jarOf(type);
    return jar != null && compare(jar.group(2), version) < 0;
  }

  /** What should be there instead. */
  String wanted() {
    return this == TCNATIVE
        ? "the version that " + NETTY_HANDLER.jar() + " was made for is needed"
        : isTooOld() ? oldest + " or later is needed" : advised + " or later is advised";
  }

  /** The name of its jar, without a path. */
  String jar() {
    return where(type);
  }

  /** The name of the jar that a class comes from, without a path. */
  static String where(String className) {
    MatchResult jar = jarOf(className);
    if (jar != null) {
      return jar.group(1) + ".jar";
    }
    URL found = find(className);
    return found == null ? "no jar" : found.toString();
  }

  private static @Nullable MatchResult jarOf(String className) {
    URL found = find(className);
    if (found == null) {
      return null;
    }
    return JAR.matcher(found.toString()).results().reduce((outer, inner) -> inner).orElse(null);
  }

  private static @Nullable URL find(String className) {
    String file = className.replace('.', '/') + ".class";
    ClassLoader loader = Library.class.getClassLoader();
    return loader == null ? ClassLoader.getSystemResource(file) : loader.getResource(file);
  }

  /** Compares the leading numbers of two versions. */
  static int compare(String left, String right) {
    String[] a = left.split("[.-]", -1);
    String[] b = right.split("[.-]", -1);
    for (int i = 0; i < Math.max(a.length, b.length); i++) {
      int difference = Integer.compare(number(a, i), number(b, i));
      if (difference != 0) {
        return difference;
      }
    }
    return 0;
  }

  private static int number(String[] parts, int index) {
    return index < parts.length && parts[index].matches("\\d{1,9}")
        ? Integer.parseInt(parts[index])
        : 0;
  }
}
