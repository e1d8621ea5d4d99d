package io.grpcstream.libp2p.security.tls;

import io.netty.handler.codec.DecoderException;
import io.netty.handler.ssl.NotSslRecordException;
import java.io.IOException;
import java.security.cert.CertificateException;
import java.util.Locale;
import javax.net.ssl.SSLException;

/** Puts into words what Netty, the JDK and BoringSSL report in many ways. */
final class TlsErrors {
  private static final String BORINGSSL = "OPENSSL_internal:";
  private static final String NO_ISSUER = "Empty issuer DN";

  private TlsErrors() {}

  /** Whether {@code failure} is one of TLS, rather than one of the network or the caller. */
  static boolean isOfTls(Throwable failure) {
    Throwable cause = unwrap(failure);
    return cause instanceof SSLException
        || cause instanceof TlsException
        || cause instanceof DecoderException;
  }

  /** A failure of TLS with its reason. */
  static IOException describe(Throwable failure) {
    Throwable cause = unwrap(failure);
    if (cause instanceof NotSslRecordException) {
      // Its text is a dump of all that came.
      return new TlsException("tls: these are no TLS records");
    }
    String reason = reason(cause);
    return isAlert(reason)
        ? new IOException("tls: the remote ended the connection: " + reason, cause)
        : new TlsException("tls: " + reason, cause);
  }

  private static Throwable unwrap(Throwable failure) {
    return failure instanceof DecoderException && failure.getCause() != null
        ? failure.getCause()
        : failure;
  }

  private static boolean isAlert(String reason) {
    return reason.contains("Received fatal alert") || reason.contains(" alert ");
  }

  private static String reason(Throwable failure) {
    for (Throwable t = failure; t != null; t = t.getCause()) {
      String message = String.valueOf(t.getMessage());
      if (t instanceof CertificateException && message.contains(NO_ISSUER)) {
        return "the JDK's TLS reads no certificate without an issuer, which is how rust-libp2p and"
            + " js-libp2p make them; with io.netty:netty-tcnative-boringssl-static on the class"
            + " path BoringSSL does";
      }
    }
    String message = String.valueOf(failure.getMessage());
    int code = message.lastIndexOf(BORINGSSL);
    return code < 0
        ? message
        : message.substring(code + BORINGSSL.length()).toLowerCase(Locale.ROOT).replace('_', ' ');
  }
}
