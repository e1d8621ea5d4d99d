/**
 * What failures become: of libp2p, of services and their interceptors, and of requests that are no
 * messages; and how often they are logged. Any thread. Internal.
 */
@NullMarked
package io.grpcstream.failures;

import org.jspecify.annotations.NullMarked;
