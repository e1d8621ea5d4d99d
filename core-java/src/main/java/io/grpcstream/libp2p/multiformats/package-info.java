/**
 * The small encodings that multiformats share: unsigned varints, base58, base32, base36 and textual
 * IP addresses. Internal: public only so that the other packages of this library can reach it.
 */
@NullMarked
package io.grpcstream.libp2p.multiformats;

import org.jspecify.annotations.NullMarked;
