/**
 * The libp2p host: peers, their addresses, connections and streams. What users meet stands here;
 * the engine behind it stands in the rooms below, which are internal.
 */
@NullMarked
package io.grpcstream.libp2p;

import org.jspecify.annotations.NullMarked;
