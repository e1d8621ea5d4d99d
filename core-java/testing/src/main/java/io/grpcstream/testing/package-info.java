/** What the tests of all modules share. */
@NullMarked
package io.grpcstream.testing;

import org.jspecify.annotations.NullMarked;
