package io.grpcstream.libp2p;

/** Who implements TLS itself; see {@link Host.Builder#tlsProvider}. */
public enum TlsProvider {
  /** The JDK. It cannot read certificates without an issuer, as rust- and js-libp2p make them. */
  JDK,

  /**
   * BoringSSL, where {@code netty-tcnative-boringssl-static} is on the class path, in a version
   * that works with the Netty there is.
   */
  BORINGSSL
}
