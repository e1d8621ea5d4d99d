/**
 * How values are written in texts for people: log lines and the messages of exceptions. Internal:
 * public only so that the other packages of this library can reach it.
 */
@NullMarked
package io.grpcstream.libp2p.text;

import org.jspecify.annotations.NullMarked;
