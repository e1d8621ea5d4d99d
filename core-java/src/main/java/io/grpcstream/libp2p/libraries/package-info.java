/**
 * The libraries that this one is built on: which versions are there, which are needed, and what an
 * error of linking to them means. Internal.
 */
@NullMarked
package io.grpcstream.libp2p.libraries;

import org.jspecify.annotations.NullMarked;
