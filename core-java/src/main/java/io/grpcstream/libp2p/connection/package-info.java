/**
 * From a raw channel to a secured, multiplexed connection, and the streams on it until a handler
 * has them. Its doors are {@link io.grpcstream.libp2p.connection.ConnectionUpgrader}, which makes
 * connections, and {@link io.grpcstream.libp2p.connection.ConnectionTable}, which keeps them; any
 * thread. What belongs to one connection runs on its event loop. Internal.
 */
@NullMarked
package io.grpcstream.libp2p.connection;

import org.jspecify.annotations.NullMarked;
