/**
 * The libp2p host: peers, their addresses, connections and streams. What users meet is public; the
 * wiring of transport, security and multiplexing behind it is not.
 */
@NullMarked
package io.grpcstream.libp2p;

import org.jspecify.annotations.NullMarked;
