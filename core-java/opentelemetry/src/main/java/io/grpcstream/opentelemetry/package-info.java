/** Traces and metrics of calls and of hosts, by OpenTelemetry: {@link PeerTelemetry} adds them. */
@NullMarked
package io.grpcstream.opentelemetry;

import org.jspecify.annotations.NullMarked;
