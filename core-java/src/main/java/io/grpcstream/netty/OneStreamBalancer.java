package io.grpcstream.netty;

import io.grpc.ConnectivityState;
import io.grpc.ConnectivityStateInfo;
import io.grpc.LoadBalancer;
import io.grpc.LoadBalancerProvider;
import io.grpc.LoadBalancerRegistry;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

/**
 * The "load balancer" of a channel that has one stream and can never have another: calls go to the
 * stream while it lasts, and once it is over every call, also one that waits for readiness, fails
 * at once. gRPC's own policies would go idle or back off, and try again for ever.
 */
final class OneStreamBalancer extends LoadBalancer {
  /** The name of this policy. */
  static final String POLICY = "grpcstream_one_stream";

  static {
    LoadBalancerRegistry.getDefaultRegistry().register(new Provider());
  }

  private final Helper helper;
  private @Nullable Subchannel subchannel;

  OneStreamBalancer(Helper helper) {
    this.helper = helper;
  }

  /** Makes the policy known to gRPC. */
  static void register() {
    // Loading this class has done it.
  }

  @Override
  public Status acceptResolvedAddresses(ResolvedAddresses resolved) {
    if (subchannel == null) {
      OneStreamAddress address =
          (OneStreamAddress) resolved.getAddresses().get(0).getAddresses().get(0);
      Subchannel created =
          helper.createSubchannel(
              CreateSubchannelArgs.newBuilder().setAddresses(resolved.getAddresses()).build());
      subchannel = created;
      created.start(state -> onState(created, address.end(), state));
      created.requestConnection();
    }
    return Status.OK;
  }

  private void onState(Subchannel of, StreamEnd end, ConnectivityStateInfo info) {
    switch (info.getState()) {
      case READY -> update(ConnectivityState.READY, PickResult.withSubchannel(of));
      case CONNECTING -> update(ConnectivityState.CONNECTING, PickResult.withNoResult());
      case IDLE, TRANSIENT_FAILURE -> {
        Throwable cause = info.getStatus().getCause();
        Status status =
            end.stream().channel().isActive()
                ? end.record("the peer takes no more calls on it (GOAWAY)", cause)
                : end.record(StreamEnd.LOST, cause);
        update(ConnectivityState.TRANSIENT_FAILURE, PickResult.withDrop(status));
        of.shutdown(); // Calls in flight go on; there is no reconnecting.
      }
      case SHUTDOWN -> {}
    }
  }

  private void update(ConnectivityState state, PickResult result) {
    helper.updateBalancingState(state, new FixedResultPicker(result));
  }

  /** Never called with effect: the one address is given, not resolved. */
  @Override
  public void handleNameResolutionError(Status error) {
    update(ConnectivityState.TRANSIENT_FAILURE, PickResult.withDrop(error));
  }

  @Override
  public void shutdown() {
    if (subchannel != null) {
      subchannel.shutdown();
    }
  }

  private static final class Provider extends LoadBalancerProvider {
    @Override
    public boolean isAvailable() {
      return true;
    }

    @Override
    public int getPriority() {
      return 5;
    }

    @Override
    public String getPolicyName() {
      return POLICY;
    }

    @Override
    public LoadBalancer newLoadBalancer(Helper helper) {
      return new OneStreamBalancer(helper);
    }
  }
}
