/** What peers in other languages send first, recorded, and played to a host again. */
@NullMarked
package io.grpcstream.libp2p.replay;

import org.jspecify.annotations.NullMarked;
