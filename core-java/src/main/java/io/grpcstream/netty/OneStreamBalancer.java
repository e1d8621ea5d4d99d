package io.grpcstream.netty;

import io.grpc.ConnectivityState;
import io.grpc.ConnectivityStateInfo;
import io.grpc.LoadBalancer;
import io.grpc.LoadBalancerProvider;
import io.grpc.LoadBalancerRegistry;
import io.grpc.Status;
import io.netty.channel.Channel;
import io.netty.channel.socket.DuplexChannel;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The "load balancer" of a channel that has one stream and can never have another: calls go to the
 * stream while it lasts, and once it is over every call, also one that waits for readiness, fails
 * at once. gRPC's own policies would go idle or back off, and try again for ever.
 */
final class OneStreamBalancer extends LoadBalancer {
  private final Helper helper;
  private @Nullable Subchannel subchannel;

  OneStreamBalancer(Helper helper) {
    this.helper = helper;
  }

  /**
   * Makes a channel that balances by this policy.
   *
   * <p>gRPC looks a policy up by its name, in a registry of the whole process, and once: as it
   * builds the channel. So the policy is in there for that moment only, under a name that nobody
   * else has; another copy of this library, in another class loader, is not in its way, and nothing
   * of ours stays behind.
   *
   * @param build is given the name of the policy
   */
  static <T> T whileNamed(Function<String, T> build) {
    Provider provider = new Provider("grpcstream_one_stream_" + UUID.randomUUID());
    LoadBalancerRegistry registry = LoadBalancerRegistry.getDefaultRegistry();
    registry.register(provider);
    try {
      return build.apply(provider.getPolicyName());
    } finally {
      registry.deregister(provider);
    }
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
        Status status = cause == null ? end.record(reason(end)) : end.record(reason(end), cause);
        update(ConnectivityState.TRANSIENT_FAILURE, PickResult.withDrop(status));
        of.shutdown(); // Calls in flight go on; there is no reconnecting.
      }
      case SHUTDOWN -> {}
    }
  }

  private static String reason(StreamEnd end) {
    Channel stream = end.stream().channel();
    if (!stream.isActive()) {
      return StreamEnd.LOST;
    }
    if (stream instanceof DuplexChannel duplex && duplex.isOutputShutdown()) {
      return StreamEnd.CLOSED_HERE; // What the peer then says is an answer to that.
    }
    String goAway = end.goAway();
    return goAway == null ? StreamEnd.LOST : goAway;
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
    private final String name;

    Provider(String name) {
      this.name = name;
    }

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
      return name;
    }

    @Override
    public LoadBalancer newLoadBalancer(Helper helper) {
      return new OneStreamBalancer(helper);
    }
  }
}
