package io.grpcstream.libp2p.security.tls;

import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.SslProvider;

/** Who implements TLS itself. */
public enum TlsProvider {
  /** The JDK. It cannot read certificates without an issuer, as rust- and js-libp2p make them. */
  JDK,

  /** BoringSSL, where {@code netty-tcnative-boringssl-static} is on the class path. */
  BORINGSSL;

  /** Whether this JVM has it. The first call loads a native library and so takes a while. */
  public boolean isAvailable() {
    return this == JDK
        || OpenSsl.isAvailable()
            && OpenSsl.versionString().startsWith("BoringSSL")
            && SslProvider.isTlsv13Supported(SslProvider.OPENSSL);
  }

  /** BoringSSL if this JVM has it, else the JDK. */
  public static TlsProvider best() {
    return BORINGSSL.isAvailable() ? BORINGSSL : JDK;
  }
}
