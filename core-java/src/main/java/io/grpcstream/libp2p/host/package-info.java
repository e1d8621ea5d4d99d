/**
 * The life of one host: it puts the rooms below together, listens, exchanges identities, and shuts
 * down. Its door is {@link io.grpcstream.libp2p.host.DefaultHost}, made by {@link
 * io.grpcstream.libp2p.Host.Builder}; any thread. Internal.
 */
@NullMarked
package io.grpcstream.libp2p.host;

import org.jspecify.annotations.NullMarked;
