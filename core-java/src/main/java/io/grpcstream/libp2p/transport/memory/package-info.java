/** Connections between hosts of one JVM, without sockets. Internal. */
@NullMarked
package io.grpcstream.libp2p.transport.memory;

import org.jspecify.annotations.NullMarked;
