package io.grpcstream.target;

import io.grpc.Attributes;
import io.grpc.EquivalentAddressGroup;
import io.grpc.NameResolver;
import io.grpc.StatusOr;
import java.util.List;

/** Resolves a {@link PeerTarget}: to itself, as it names its peers. */
final class PeerNameResolver extends NameResolver {
  private final PeerTarget target;

  PeerNameResolver(PeerTarget target) {
    this.target = target;
  }

  @Override
  public String getServiceAuthority() {
    return target.authority();
  }

  @Override
  public void start(Listener2 listener) {
    List<EquivalentAddressGroup> groups =
        target.addresses().stream().map(PeerNameResolver::group).toList();
    listener.onResult(
        ResolutionResult.newBuilder().setAddressesOrError(StatusOr.fromValue(groups)).build());
  }

  /** With several peers each has its own authority: its id. */
  private static EquivalentAddressGroup group(PeerTargetAddress address) {
    return new EquivalentAddressGroup(
        address,
        Attributes.newBuilder()
            .set(EquivalentAddressGroup.ATTR_AUTHORITY_OVERRIDE, address.peer().toString())
            .build());
  }

  @Override
  public void shutdown() {}
}
