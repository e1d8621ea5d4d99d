/** Runs the sample. */
package io.grpcstream.samples.modular;
