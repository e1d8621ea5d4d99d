package io.grpcstream.netty;

import io.grpc.CallCredentials;
import io.grpc.ChannelCredentials;
import io.grpc.CompositeChannelCredentials;
import io.grpc.ManagedChannelBuilder;
import io.grpc.ManagedChannelProvider;
import io.grpc.NameResolverProvider;
import io.grpc.NameResolverRegistry;
import io.grpcstream.targets.PeerTargetAddress;
import java.net.SocketAddress;
import java.util.Collection;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Makes channels of {@code libp2p:} targets for {@code Grpc.newChannelBuilder}; found by {@link
 * java.util.ServiceLoader}.
 */
public final class PeerChannelProvider extends ManagedChannelProvider {
  /** Below grpc-netty's, which so makes all channels that are not ours to make. */
  private static final int PRIORITY = 3;

  @Override
  protected boolean isAvailable() {
    return true;
  }

  @Override
  protected int priority() {
    return PRIORITY;
  }

  @Override
  protected ManagedChannelBuilder<?> builderForAddress(String name, int port) {
    throw new UnsupportedOperationException("channels to peers need PeerChannelCredentials");
  }

  @Override
  protected ManagedChannelBuilder<?> builderForTarget(String target) {
    throw new UnsupportedOperationException("channels to peers need PeerChannelCredentials");
  }

  @Override
  protected NewChannelBuilderResult newChannelBuilder(
      String target,
      ChannelCredentials credentials,
      @Nullable NameResolverRegistry registry,
      @Nullable NameResolverProvider provider) {
    return newChannelBuilder(target, credentials);
  }

  @Override
  protected NewChannelBuilderResult newChannelBuilder(
      String target, ChannelCredentials credentials) {
    CallCredentials perCall = null;
    ChannelCredentials channel = credentials;
    if (credentials instanceof CompositeChannelCredentials both) {
      channel = both.getChannelCredentials();
      perCall = both.getCallCredentials();
    }
    if (channel instanceof HostChannelCredentials host) {
      return NewChannelBuilderResult.channelBuilder(host.newChannelBuilder(target, perCall));
    }
    return NewChannelBuilderResult.error(
        "a libp2p target needs PeerChannelCredentials.create(host), which say whose connections"
            + " to use; got "
            + channel.getClass().getSimpleName());
  }

  @Override
  protected Collection<Class<? extends SocketAddress>> getSupportedSocketAddressTypes() {
    return Set.of(PeerTargetAddress.class);
  }
}
