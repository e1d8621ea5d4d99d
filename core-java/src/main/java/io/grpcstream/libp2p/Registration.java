package io.grpcstream.libp2p;

/** Something that a host goes on doing until it is told to stop. */
public interface Registration extends AutoCloseable {
  /** Ends it. Idempotent, never blocks; any thread. */
  @Override
  void close();
}
