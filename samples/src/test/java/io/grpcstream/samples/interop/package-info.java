/**
 * The JVM's side of {@code samples/interop/README.md}, in Java, and the tests that run it with the
 * peers in other languages.
 */
@NullMarked
package io.grpcstream.samples.interop;

import org.jspecify.annotations.NullMarked;
