/**
 * How bytes reach another machine or another host of this JVM: dial and listen, in terms of Netty
 * channels and socket addresses. Internal.
 */
@NullMarked
package io.grpcstream.libp2p.transport;

import org.jspecify.annotations.NullMarked;
