/**
 * How a handler that negotiates makes way for those that it has negotiated about, without losing
 * what the remote has sent to them already. On the event loop of the channel. Internal.
 */
@NullMarked
package io.grpcstream.libp2p.handover;

import org.jspecify.annotations.NullMarked;
