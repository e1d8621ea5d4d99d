package io.grpcstream.samples.interop;

/** Stops the gRPC server that runs, and starts its successor; returns before either is done. */
public interface Stopper {
  /**
   * Stops it, and starts another.
   *
   * @param graceful whether running calls may finish; otherwise they are cut off
   */
  void stop(boolean graceful);
}
