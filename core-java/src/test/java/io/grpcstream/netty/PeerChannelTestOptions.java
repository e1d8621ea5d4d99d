package io.grpcstream.netty;

import io.grpc.ManagedChannelBuilder;
import java.time.Duration;

/** What tests set of a channel to peers that is not a user's to set. */
public final class PeerChannelTestOptions {
  private PeerChannelTestOptions() {}

  /** How long a peer that has agreed to a stream may say nothing on it. */
  public static void readyTimeout(ManagedChannelBuilder<?> channel, Duration timeout) {
    ((ManagedPeerChannelBuilder) channel).readyTimeout(timeout);
  }
}
