package io.grpcstream.serving;

import io.grpc.HandlerRegistry;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The services of two registries, of which the first one is asked first. */
final class TwoRegistries extends HandlerRegistry {
  private final HandlerRegistry first;
  private final HandlerRegistry second;

  TwoRegistries(HandlerRegistry first, HandlerRegistry second) {
    this.first = first;
    this.second = second;
  }

  @Override
  public List<ServerServiceDefinition> getServices() {
    List<ServerServiceDefinition> all = new ArrayList<>(first.getServices());
    all.addAll(second.getServices());
    return all;
  }

  @Override
  public @Nullable ServerMethodDefinition<?, ?> lookupMethod(
      String method, @Nullable String authority) {
    ServerMethodDefinition<?, ?> found = first.lookupMethod(method, authority);
    return found != null ? found : second.lookupMethod(method, authority);
  }
}
