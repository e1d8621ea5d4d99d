/**
 * What a host counts: connections and streams against their limits, and what it has refused. Its
 * doors are {@link io.grpcstream.libp2p.resources.ResourceManager} and {@link
 * io.grpcstream.libp2p.resources.Refusals}; any thread. Internal.
 */
@NullMarked
package io.grpcstream.libp2p.resources;

import org.jspecify.annotations.NullMarked;
