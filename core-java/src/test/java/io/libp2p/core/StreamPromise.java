package io.libp2p.core;

import java.util.concurrent.CompletableFuture;

/** Stands in for jvm-libp2p's class. */
public final class StreamPromise<T> {
  private final CompletableFuture<Stream> stream;
  private final CompletableFuture<T> controller;

  public StreamPromise(CompletableFuture<Stream> stream, CompletableFuture<T> controller) {
    this.stream = stream;
    this.controller = controller;
  }

  /** The stream, which may still have to be negotiated. */
  public CompletableFuture<Stream> getStream() {
    return stream;
  }

  /** What the binding's initializer made. */
  public CompletableFuture<T> getController() {
    return controller;
  }
}
