/**
 * Secure channels: the one small interface behind which Noise and TLS authenticate and encrypt a
 * connection. Internal.
 */
@NullMarked
package io.grpcstream.libp2p.security;

import org.jspecify.annotations.NullMarked;
