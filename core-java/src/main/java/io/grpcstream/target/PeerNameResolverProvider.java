package io.grpcstream.target;

import io.grpc.NameResolver;
import io.grpc.NameResolverProvider;
import java.net.SocketAddress;
import java.net.URI;
import java.util.Collection;
import java.util.Set;

/** Tells gRPC about {@code libp2p:} targets; found by {@link java.util.ServiceLoader}. */
public final class PeerNameResolverProvider extends NameResolverProvider {
  private static final int DEFAULT_PRIORITY = 5;

  @Override
  protected boolean isAvailable() {
    return true;
  }

  @Override
  protected int priority() {
    return DEFAULT_PRIORITY;
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
