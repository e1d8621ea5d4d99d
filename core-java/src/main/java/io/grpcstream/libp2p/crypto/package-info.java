/**
 * Identity keys: the four key types of libp2p, their signatures, their protobuf form, and the peer
 * ids made from them.
 */
@NullMarked
package io.grpcstream.libp2p.crypto;

import org.jspecify.annotations.NullMarked;
