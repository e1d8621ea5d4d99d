/** Futures and failures as people read them, and a limit for log lines. Any thread. Internal. */
@NullMarked
package io.grpcstream.libp2p.util;

import org.jspecify.annotations.NullMarked;
