package io.grpcstream.targets;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.NameResolverRegistry;
import io.grpc.internal.DnsNameResolverProvider;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class PeerNameResolverProviderTest {
  @Test
  @DisplayName("What else uses gRPC goes on as before: a target without a scheme names a host")
  void withoutScheme() {
    NameResolverRegistry registry = new NameResolverRegistry();
    registry.register(new PeerNameResolverProvider());
    registry.register(new DnsNameResolverProvider());
    assertThat(registry.getDefaultScheme()).isEqualTo("dns");
  }
}
