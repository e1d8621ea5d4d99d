/**
 * From a peer or an address to a connection, and to a stream over it. Its doors are {@link
 * io.grpcstream.libp2p.dial.Dialer} and {@link io.grpcstream.libp2p.dial.StreamDial}, called on any
 * thread; one dial runs on one event loop. Internal.
 */
@NullMarked
package io.grpcstream.libp2p.dial;

import org.jspecify.annotations.NullMarked;
