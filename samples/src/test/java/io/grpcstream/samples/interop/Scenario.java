package io.grpcstream.samples.interop;

/** One thing to show with a peer. */
@FunctionalInterface
public interface Scenario {
  /** Returns what was seen; throws if that is not what must be seen. */
  String run(Peer peer) throws Exception;
}
