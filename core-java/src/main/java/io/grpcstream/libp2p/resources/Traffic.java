package io.grpcstream.libp2p.resources;

import java.util.concurrent.atomic.LongAdder;

/** The bytes that all connections of one host have carried. Thread-safe. */
public final class Traffic {
  private final LongAdder received = new LongAdder();
  private final LongAdder sent = new LongAdder();

  public void addReceived(int bytes) {
    received.add(bytes);
  }

  public void addSent(int bytes) {
    sent.add(bytes);
  }

  long received() {
    return received.sum();
  }

  long sent() {
    return sent.sum();
  }
}
