package io.grpcstream.netty;

import io.grpc.Attributes;
import io.grpc.Status;
import io.grpc.internal.DisconnectError;
import io.grpc.internal.ManagedClientTransport;
import io.grpcstream.libp2p.Connection;
import io.grpcstream.targets.PeerTargetAddress;
import java.util.List;

/**
 * One attempt of gRPC to reach a peer: tells {@link PeerDials} how it went, and gRPC of the same
 * events. It has succeeded when the peer is ready for calls: a stream alone is not enough, as the
 * peer may agree to it and end it.
 */
final class AttemptListener implements ManagedClientTransport.Listener {
  private final PeerTargetAddress address;
  private final PeerDials dials;
  private final ManagedClientTransport.Listener listener;
  private final List<Connection> before;
  private volatile boolean decided;

  /** Of an attempt that is about to begin. */
  AttemptListener(
      PeerTargetAddress address, PeerDials dials, ManagedClientTransport.Listener listener) {
    this.address = address;
    this.dials = dials;
    this.listener = listener;
    before = dials.attemptBegun(address);
  }

  /** It is given up: whatever comes now says nothing about the peer. */
  void giveUp() {
    decided = true;
    dials.attemptOver(address);
  }

  @Override
  public Attributes filterTransport(Attributes attributes) {
    return listener.filterTransport(attributes);
  }

  @Override
  public void transportReady() {
    decided = true;
    dials.reached(address);
    dials.attemptOver(address);
    listener.transportReady();
  }

  @Override
  public void transportInUse(boolean inUse) {
    listener.transportInUse(inUse);
  }

  @Override
  public void transportShutdown(Status status, DisconnectError error) {
    boolean failed = !decided;
    decided = true;
    if (failed) {
      dials.failed(address, status);
      dials.attemptOver(address);
    }
    listener.transportShutdown(status, error);
    if (failed) {
      dials.attemptFailed(address, before);
    }
  }

  @Override
  public void transportTerminated() {
    listener.transportTerminated();
  }
}
