/**
 * A stream as its user has it, over whatever channel, and reads that wait until it is used. On the
 * event loop of the stream, apart from what {@link io.grpcstream.libp2p.Stream} says. Internal.
 */
@NullMarked
package io.grpcstream.libp2p.stream;

import org.jspecify.annotations.NullMarked;
