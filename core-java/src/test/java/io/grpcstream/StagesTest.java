package io.grpcstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpcstream.libp2p.Connection;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.util.StageFuture;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Every public method that returns a stage, by reflection. */
@Timeout(60)
class StagesTest {
  private final Hosts hosts = new Hosts();
  private final Host listener = hosts.start(Hosts.MEMORY);
  private final Host opener = hosts.start(Hosts.MEMORY);
  private final GrpcStream grpc = GrpcStream.create();
  private final GrpcPeer peer = GrpcPeer.builder().build();

  /** Objects of the types that users get. */
  private final Map<Class<?>, Object> api = new LinkedHashMap<>();

  @BeforeEach
  void fill() {
    Stream stream = Hosts.open(opener, listener, grpc.handler());
    api.put(GrpcConnection.class, Hosts.await(grpc.accept()));
    api.put(Stream.class, stream);
    api.put(Connection.class, opener.connections().get(0));
    api.put(GrpcStream.class, grpc);
    api.put(GrpcPeer.class, peer);
    api.put(Host.class, opener);
  }

  @AfterEach
  void close() {
    peer.close();
    grpc.close();
    hosts.close();
  }

  private Object argument(Class<?> type) {
    Map<Class<?>, Object> values =
        Map.of(
            Host.class,
            opener,
            PeerId.class,
            listener.peerId(),
            Multiaddr.class,
            Hosts.address(listener),
            Collection.class,
            List.of(Hosts.address(listener)),
            String.class,
            Wire.PROTOCOL,
            String[].class,
            new String[] {Wire.PROTOCOL},
            Duration.class,
            Duration.ZERO);
    return Objects.requireNonNull(values.get(type), () -> "no value of " + type);
  }

  /** The methods whose stages, or what is made of those, may be waited for on event loops. */
  private Set<String> unguarded() throws Exception {
    Set<String> wrong = new TreeSet<>();
    int called = 0;
    for (Map.Entry<Class<?>, Object> type : api.entrySet()) {
      List<Method> methods =
          List.of(type.getKey().getMethods()).stream()
              .filter(method -> method.getReturnType() == CompletionStage.class)
              // What ends things comes last.
              .sorted((a, b) -> Boolean.compare(ends(a), ends(b)))
              .collect(Collectors.toList());
      for (Method method : methods) {
        Object[] arguments = new Object[method.getParameterCount()];
        for (int i = 0; i < arguments.length; i++) {
          arguments[i] = argument(method.getParameterTypes()[i]);
        }
        Object target = Modifier.isStatic(method.getModifiers()) ? null : type.getValue();
        CompletionStage<?> stage = (CompletionStage<?>) method.invoke(target, arguments);
        called++;
        if (!(stage.toCompletableFuture() instanceof StageFuture)
            || !(stage.thenApply(value -> value).toCompletableFuture() instanceof StageFuture)) {
          wrong.add(method.toString());
        }
      }
    }
    assertThat(called).isGreaterThan(20);
    return wrong;
  }

  private static boolean ends(Method method) {
    return method.getName().equals("shutdown");
  }

  @Test
  @DisplayName("All stages that users get refuse to be waited for on event loops, whatever state")
  void stagesAreGuarded() throws Exception {
    assertThat(unguarded()).as("of what lives").isEmpty();
    Hosts.await(opener.closed());
    Hosts.await(peer.closed());
    assertThat(unguarded()).as("of what has ended").isEmpty();
  }
}
