/**
 * What becomes of the streams that peers open to one {@code GrpcStream}: its backlog, its servers,
 * the time limits between. Its door is {@link io.grpcstream.serving.InboundStreams}; any thread.
 * Internal.
 */
@NullMarked
package io.grpcstream.serving;

import org.jspecify.annotations.NullMarked;
