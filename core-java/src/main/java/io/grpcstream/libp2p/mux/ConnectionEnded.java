package io.grpcstream.libp2p.mux;

/** What an exception is that ends a stream because all of its connection has ended. */
public interface ConnectionEnded {}
