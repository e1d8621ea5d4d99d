/** What a user's own module looks like. */
package io.grpcstream.samples.modular;
