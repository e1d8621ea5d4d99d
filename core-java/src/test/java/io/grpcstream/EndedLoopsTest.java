package io.grpcstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.BindableService;
import io.grpc.ManagedChannel;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpcstream.libp2p.Connection;
import io.grpcstream.libp2p.ConnectionListener;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.Refusal;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.StreamHandler;
import io.grpcstream.libp2p.transport.tcp.TcpTransport;
import io.netty.channel.Channel;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** All public methods, by reflection, of what belonged to event loops that have ended. */
@Timeout(120)
class EndedLoopsTest {
  private static final Set<String> OF_OBJECTS = Set.of("equals", "hashCode", "toString");

  /** Stages that wait for somebody else: a stream to come, a shutdown to be asked for. */
  private static final Set<String> WAITS = Set.of("accept", "terminated", "hostShutdown", "closed");

  private static final int STREAMS = 80;

  private final Hosts hosts = new Hosts();
  private final MultiThreadIoEventLoopGroup group =
      new MultiThreadIoEventLoopGroup(1, TcpTransport.ioHandlerFactory());
  private final Host peer = hosts.start(Hosts.TCP);
  private final Host host = hosts.start(builder -> builder.listen(Hosts.TCP).eventLoopGroup(group));
  private final GrpcStream accepting = GrpcStream.builder().backlog(STREAMS).build();
  private final Deque<Stream> streams = new ArrayDeque<>();
  private final Deque<GrpcConnection> accepted = new ArrayDeque<>();
  private final Map<String, String> wrong = new TreeMap<>();
  private Multiaddr peerAddress = Hosts.address(peer);
  private int calls;

  @AfterEach
  void close() {
    hosts.close();
    group.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
  }

  @Test
  @DisplayName("Nothing throws, or waits for ever, after the host's shutdown and its loops' end")
  void afterShutdown() throws Exception {
    open();
    Connection connection = host.connections().get(0);
    Hosts.await(host.shutdown(Duration.ZERO));
    endLoops();
    callAll(connection);
  }

  @Test
  @DisplayName("Nothing throws, or waits for ever, after the loops have ended under the host")
  void underTheHost() throws Exception {
    open();
    Connection connection = host.connections().get(0);
    endLoops();
    callAll(connection);
  }

  private void open() {
    peer.handle(Wire.PROTOCOL, stream -> {});
    host.handle(Wire.PROTOCOL, accepting.handler());
    for (int i = 0; i < STREAMS; i++) {
      streams.add(Hosts.await(host.newStream(peerAddress, Wire.PROTOCOL)));
    }
    for (int i = 0; i < declared(GrpcConnection.class).size(); i++) {
      Hosts.await(peer.newStream(Hosts.address(host), Wire.PROTOCOL));
      accepted.add(Hosts.await(accepting.accept()));
    }
  }

  private void endLoops() {
    group.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
  }

  private void callAll(Connection connection) throws Exception {
    Stream stream = streams.remove();
    for (Method method : declared(Stream.class)) {
      call(method, stream);
    }
    for (Method method : declared(Connection.class)) {
      call(method, connection);
    }
    for (Method method : declared(GrpcConnection.class)) {
      call(method, accepted.remove());
    }
    for (Method method : declared(GrpcStream.class)) {
      call(method, GrpcStream.builder().health().build());
    }
    List<Method> ofHosts = declared(Host.class);
    for (Method method : ofHosts) {
      if (!method.getName().equals("close") && !method.getName().equals("shutdown")) {
        call(method, host);
      }
    }
    call(Host.class.getMethod("shutdown", Duration.class), host);
    call(Host.class.getMethod("close"), host);
    assertThat(wrong).isEmpty();
    assertThat(calls).isGreaterThan(75);
  }

  private static List<Method> declared(Class<?> type) {
    List<Method> all = new ArrayList<>();
    for (Method method : type.getDeclaredMethods()) {
      boolean ours = Modifier.isPublic(method.getModifiers()) && !method.isSynthetic();
      if (ours && !OF_OBJECTS.contains(method.getName()) && !method.getName().endsWith("uilder")) {
        all.add(method);
      }
    }
    return all;
  }

  private void call(Method method, Object target) throws Exception {
    calls++;
    Object[] arguments = new Object[method.getParameterCount()];
    for (int i = 0; i < arguments.length; i++) {
      arguments[i] = value(method.getParameterTypes()[i]);
    }
    try {
      boolean isStatic = Modifier.isStatic(method.getModifiers());
      check(method, method.invoke(isStatic ? null : target, arguments));
    } catch (InvocationTargetException e) {
      wrong.put(method.toString(), "threw " + e.getCause());
    }
  }

  private Object value(Class<?> type) {
    Map<Class<?>, Object> values =
        Map.of(
            String.class,
            Wire.PROTOCOL,
            String[].class,
            new String[] {Wire.PROTOCOL},
            Duration.class,
            Duration.ofHours(1),
            PeerId.class,
            peer.peerId(),
            Multiaddr.class,
            peerAddress,
            Refusal.class,
            Refusal.STALLED,
            Throwable.class,
            new IOException("as any"),
            ServerServiceDefinition.class,
            Echo.service(),
            Host.class,
            host,
            boolean.class,
            true);
    Object known = values.get(type);
    if (known != null) {
      return known;
    }
    if (type == Stream.class) {
      return streams.remove(); // Each can be served or wrapped once.
    }
    if (type == Channel.class) {
      return streams.remove().channel();
    }
    if (type == BindableService.class) {
      return (BindableService) Echo::service;
    }
    if (type == StreamHandler.class) {
      return (StreamHandler) stream -> {};
    }
    if (type == ConnectionListener.class) {
      return new ConnectionListener() {};
    }
    if (type == Collection.class) {
      return List.of(peerAddress);
    }
    if (type == CallLimits.class) {
      return CallLimits.defaults();
    }
    throw new AssertionError("no value of " + type);
  }

  private void check(Method method, @Nullable Object result) throws Exception {
    if (result instanceof CompletionStage<?> stage) {
      try {
        check(method, stage.toCompletableFuture().get(waits(method) ? 0 : 20, TimeUnit.SECONDS));
      } catch (TimeoutException e) {
        if (!waits(method)) {
          wrong.put(method.toString(), "does not complete");
        }
      } catch (ExecutionException e) {
        Throwable failure = e.getCause();
        boolean documented =
            failure instanceof IOException || failure instanceof StatusRuntimeException;
        if (!documented) {
          wrong.put(method.toString(), "fails with " + failure);
        }
      }
    } else if (result instanceof ManagedChannel channel) {
      Status status = Echo.failure(channel);
      if (status.getCode() != Status.Code.UNAVAILABLE) {
        wrong.put(method.toString(), "its call ends with " + status);
      }
      channel.shutdown();
      if (!channel.awaitTermination(20, TimeUnit.SECONDS)) {
        wrong.put(method.toString(), "its channel does not end");
      }
    }
  }

  private static boolean waits(Method method) {
    boolean isHosts = method.getDeclaringClass() == Stream.class;
    return WAITS.contains(method.getName())
        && (!isHosts || method.getName().equals("hostShutdown"));
  }
}
