package io.grpcstream.targets;

import io.grpc.NameResolver;
import io.grpc.NameResolverProvider;
import java.net.SocketAddress;
import java.net.URI;
import java.util.Collection;
import java.util.Set;

/** Tells gRPC about {@code libp2p:} targets; found by {@link java.util.ServiceLoader}. */
public final class PeerNameResolverProvider extends NameResolverProvider {
  /** Below that of host names, which are so what a target without a scheme is taken for. */
  private static final int PRIORITY = 4;

  @Override
  protected boolean isAvailable() {
    return true;
  }

  @Override
  protected int priority() {
    return PRIORITY;
  }

  @Override
  public String getDefaultScheme() {
    return PeerTarget.SCHEME;
  }

  @Override
  public NameResolver newNameResolver(URI target, NameResolver.Args args) {
    return new PeerNameResolver(PeerTarget.of(target));
  }

  /** So gRPC asks the provider of channels to peers, and no other, for these targets. */
  @Override
  public Collection<Class<? extends SocketAddress>> getProducedSocketAddressTypes() {
    return Set.of(PeerTargetAddress.class);
  }
}
