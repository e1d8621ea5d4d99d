/** The code of the guide, compiled and run. */
@NullMarked
package io.grpcstream.samples.guide;

import org.jspecify.annotations.NullMarked;
