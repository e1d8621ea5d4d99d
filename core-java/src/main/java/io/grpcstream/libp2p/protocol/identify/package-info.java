/**
 * The identify protocol and its push form: what peers tell each other about themselves. Internal.
 */
@NullMarked
package io.grpcstream.libp2p.protocol.identify;

import org.jspecify.annotations.NullMarked;
