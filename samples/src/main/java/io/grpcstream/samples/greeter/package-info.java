/**
 * A peer that greets and a peer that calls it: all four kinds of gRPC call over one libp2p stream.
 */
@NullMarked
package io.grpcstream.samples.greeter;

import org.jspecify.annotations.NullMarked;
