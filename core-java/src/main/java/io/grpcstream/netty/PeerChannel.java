package io.grpcstream.netty;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpcstream.libp2p.Connection;
import io.grpcstream.libp2p.ConnectionListener;
import io.grpcstream.libp2p.Host;

/**
 * A gRPC channel to peers: gRPC's own, which balances, redials and backs off, with what peers add.
 *
 * <ul>
 *   <li>A peer that could not be reached and connects by itself is called at once: nobody waits for
 *       the end of a back-off.
 *   <li>The channel ends with its host, and so do calls that wait: gRPC would try for ever.
 *   <li>Calls end for their users, and with a reason, also when their stream has; see {@link
 *       CallTracker}.
 * </ul>
 */
final class PeerChannel extends DelegatingChannel implements ConnectionListener {
  private final String target;
  private final Host host;
  private final PeerDials dials;
  private final PeerCalls calls;

  PeerChannel(ManagedChannel delegate, String target, Host host, PeerDials dials, PeerCalls calls) {
    super(delegate);
    this.target = target;
    this.host = host;
    this.dials = dials;
    this.calls = calls;
    dials.onReachable(delegate::resetConnectBackoff);
  }

  @Override
  public <Q, R> ClientCall<Q, R> newCall(MethodDescriptor<Q, R> method, CallOptions options) {
    calls.noteCall();
    return calls.newCall(delegate, method, options);
  }

  @Override
  public void onConnected(Connection connection) {
    if (dials.wasMissed(connection)) {
      delegate.resetConnectBackoff();
    }
  }

  @Override
  public void onHostShutdown() {
    calls.end(
        Status.UNAVAILABLE.withDescription(
            calls.target() + ": its host " + host.peerId() + " was shut down"));
    delegate.shutdown();
    host.closed().thenRun(this::shutdownNow);
  }

  @Override
  public ManagedChannel shutdown() {
    delegate.shutdown();
    return this;
  }

  @Override
  public ManagedChannel shutdownNow() {
    delegate.shutdownNow();
    calls.cut();
    return this;
  }

  @Override
  public ConnectivityState getState(boolean requestConnection) {
    if (requestConnection) {
      calls.noteCall();
    }
    return delegate.getState(requestConnection);
  }

  @Override
  public void resetConnectBackoff() {
    dials.forgetFailures();
    delegate.resetConnectBackoff();
  }

  @Override
  public void enterIdle() {
    delegate.enterIdle();
  }

  @Override
  public String toString() {
    return "gRPC channel to " + target;
  }
}
