package io.grpcstream.libp2p.security.tls;

import java.util.Optional;

/** Who implements TLS itself. */
public enum TlsProvider {
  /** The JDK. It cannot read certificates without an issuer, as rust- and js-libp2p make them. */
  JDK,

  /**
   * BoringSSL, where {@code netty-tcnative-boringssl-static} is on the class path, in a version
   * that works with the Netty there is.
   */
  BORINGSSL;

  /**
   * Whether this JVM has it, and it works. The first call takes a while: it loads a native library
   * and has it shake hands with itself. One that is there and does not work is logged then.
   */
  public boolean isAvailable() {
    return this == JDK || BoringSsl.LOOK.trouble() == null;
  }

  /** Why it is not {@linkplain #isAvailable available}, for people; empty if it is. */
  public Optional<String> trouble() {
    return this == JDK ? Optional.empty() : Optional.ofNullable(BoringSsl.LOOK.trouble());
  }

  /** Whether it is there but does not work, as with an older version of it. */
  public boolean isBroken() {
    return this == BORINGSSL && BoringSsl.LOOK.broken();
  }

  /** BoringSSL if it is available, else the JDK. */
  public static TlsProvider best() {
    return BORINGSSL.isAvailable() ? BORINGSSL : JDK;
  }
}
