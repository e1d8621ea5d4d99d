/** The README's examples, compiled and run, and the samples as a user runs them. */
@NullMarked
package io.grpcstream.samples;

import org.jspecify.annotations.NullMarked;
