/** The ping protocol: is the peer alive, and how far away is it. Internal. */
@NullMarked
package io.grpcstream.libp2p.protocol.ping;

import org.jspecify.annotations.NullMarked;
