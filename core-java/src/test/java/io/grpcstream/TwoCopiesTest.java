package io.grpcstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.LoadBalancerRegistry;
import io.grpcstream.testing.OwnLoader;
import java.lang.reflect.Method;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The library loaded more than once over one gRPC and one Netty, as plug-ins do. */
@Timeout(120)
class TwoCopiesTest {
  @Test
  @DisplayName("Calls of each copy work, and none leaves anything in the registry of the process")
  void copiesLeaveNothingInTheRegistry() throws Exception {
    assertThat(new Conversation().apply("first")).isEqualTo("first");
    try (OwnLoader second = OwnLoader.ofOurs();
        OwnLoader third = OwnLoader.ofOurs()) {
      assertThat(second.run(Conversation.class, "second")).isEqualTo("second");
      assertThat(third.run(Conversation.class, "third")).isEqualTo("third");
    }
    assertThat(new Conversation().apply("again")).isEqualTo("again");

    Method providers = LoadBalancerRegistry.class.getDeclaredMethod("providers");
    providers.setAccessible(true);
    Map<?, ?> known = (Map<?, ?>) providers.invoke(LoadBalancerRegistry.getDefaultRegistry());
    assertThat(known.keySet())
        .isNotEmpty()
        .noneSatisfy(name -> assertThat(name.toString()).contains("grpcstream"));
  }
}
