/**
 * What many rooms need: tasks for event loops, futures, a limit for log lines. Any thread.
 * Internal.
 */
@NullMarked
package io.grpcstream.libp2p.util;

import org.jspecify.annotations.NullMarked;
