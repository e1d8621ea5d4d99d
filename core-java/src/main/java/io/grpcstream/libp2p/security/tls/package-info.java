/**
 * The TLS 1.3 secure channel: self-signed certificates that carry the host key in an extension
 * (tls/tls.md), over BoringSSL where netty-tcnative is on the class path and the JDK's TLS
 * elsewhere. Internal.
 */
@NullMarked
package io.grpcstream.libp2p.security.tls;

import org.jspecify.annotations.NullMarked;
