package io.grpcstream.libp2p.connection;

import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.Refusal;
import io.grpcstream.libp2p.mux.StreamChannel;
import io.grpcstream.libp2p.resources.Refusals;
import io.grpcstream.libp2p.stream.ChannelStream;
import io.grpcstream.libp2p.util.StageFuture;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** A stream of one of the host's connections. */
public final class MuxedStream extends ChannelStream<StreamChannel> {
  private final Refusals refusals;
  private final CompletableFuture<Void> hostShutdown = new CompletableFuture<>();

  public MuxedStream(
      StreamChannel channel,
      PeerId localPeer,
      PeerId remotePeer,
      Multiaddr localAddress,
      Multiaddr remoteAddress,
      String protocol,
      boolean initiator,
      Refusals refusals) {
    super(channel, localPeer, remotePeer, localAddress, remoteAddress, protocol, initiator);
    this.refusals = refusals;
  }

  @Override
  public CompletionStage<Void> hostShutdown() {
    return StageFuture.copyOf(hostShutdown);
  }

  /** The host shuts down. On the event loop. */
  void onHostShutdown() {
    hostShutdown.complete(null);
  }

  @Override
  public boolean refused(Refusal reason, String message) {
    refusals.add(
        Objects.requireNonNull(reason, "the reason is null"),
        Objects.requireNonNull(message, "the message is null"));
    return true;
  }

  @Override
  protected void expectEnd() {
    channel().expectEnd();
  }

  @Override
  protected void resetNow() {
    channel().reset();
  }
}
