/** What this project publishes, taken up by projects of others. */
@NullMarked
package io.grpcstream.samples.consumers;

import org.jspecify.annotations.NullMarked;
