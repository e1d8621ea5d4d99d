/** Peers in memory for tests, and an extension of Kotest for them. */
module io.grpcstream.kotest {
  exports io.grpcstream.kotest;

  // Of these there are types in the API.
  requires transitive io.grpcstream.core;
  requires transitive io.grpcstream.kotlin;
  requires transitive kotest.framework.engine.jvm;

  requires io.netty.buffer;
  requires io.netty.common;
}
