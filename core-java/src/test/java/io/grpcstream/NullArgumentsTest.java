package io.grpcstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.ServerServiceDefinition;
import io.grpcstream.libp2p.Connection;
import io.grpcstream.libp2p.ConnectionManager;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.HostStats;
import io.grpcstream.libp2p.Limits;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.PeerInfo;
import io.grpcstream.libp2p.Refusal;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.TlsProvider;
import io.grpcstream.libp2p.crypto.PrivateKey;
import io.grpcstream.libp2p.crypto.PublicKey;
import io.netty.channel.Channel;
import java.lang.reflect.Array;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Parameter;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What becomes of a null where the API takes none: all public methods, by reflection. */
@Timeout(60)
class NullArgumentsTest {
  /** Null is equal to nothing; and gRPC calls interceptors. */
  private static final Set<String> NOT_CALLED_BY_USERS = Set.of("equals", "interceptCall");

  /** Types whose methods users call, with an object; null where only static ones take values. */
  private final Map<Class<?>, @Nullable Object> api = new LinkedHashMap<>();

  /** A value of each type that is taken, interfaces apart. */
  private final Map<Class<?>, Object> values = new LinkedHashMap<>();

  @Test
  void aNullWhereNoneIsTakenIsNamedAtOnce() throws Exception {
    try (Hosts hosts = new Hosts()) {
      Host listener = hosts.start(Hosts.MEMORY);
      Host opener = hosts.start(Hosts.MEMORY);
      GrpcStream grpc = GrpcStream.create();
      Stream stream = Hosts.open(opener, listener, grpc.handler());
      fill(grpc, opener, stream, Hosts.await(grpc.accept()));
      Map<String, String> wrong = new TreeMap<>();
      int[] calls = new int[1];
      for (Map.Entry<Class<?>, @Nullable Object> type : api.entrySet()) {
        for (Executable called : called(type.getKey())) {
          boolean needsNone = called instanceof Constructor || isStatic(called);
          if (!needsNone && type.getValue() == null) {
            continue;
          }
          for (int i = 0; i < called.getParameterCount(); i++) {
            if (takesNoNull(called.getParameters()[i])) {
              calls[0]++;
              String found = callWithNull(called, needsNone ? null : type.getValue(), i);
              if (!found.matches("(?!Cannot ).+ (is|are) null")) {
                wrong.put(called.toString() + ", parameter " + i, found);
              }
            }
          }
        }
      }
      assertThat(wrong).isEmpty();
      assertThat(calls[0]).isGreaterThan(80);
      Hosts.await(grpc.shutdown(Duration.ZERO));
    }
  }

  private void fill(GrpcStream grpc, Host host, Stream stream, GrpcConnection accepted) {
    PrivateKey key = PrivateKey.generateEd25519();
    PeerId peer = PeerId.of(key.publicKey());
    Multiaddr address = Multiaddr.parse("/memory/1/p2p/" + peer);
    api.put(GrpcStream.class, grpc);
    api.put(GrpcStream.Builder.class, GrpcStream.builder());
    api.put(GrpcConnection.class, accepted);
    api.put(GrpcPeer.class, GrpcPeer.builder().build());
    api.put(GrpcPeer.Builder.class, GrpcPeer.builder());
    api.put(PeerChannelBuilder.class, PeerChannelBuilder.forPeer(host, peer, Wire.PROTOCOL));
    api.put(PeerChannelCredentials.class, null);
    api.put(PeerCallLimit.class, null);
    api.put(PeerServerBuilder.class, PeerServerBuilder.forProtocol(host, Wire.PROTOCOL));
    api.put(PeerAddress.class, new PeerAddress(peer, address));
    api.put(PeerContext.class, null);
    api.put(ExceptionTypes.class, null);
    api.put(FailureInterceptor.class, new FailureInterceptor(List.of()));
    api.put(CallScope.class, (CallScope) () -> () -> {});
    api.put(CallScopeInterceptor.class, null);
    api.put(CallMdc.class, null);
    api.put(Host.class, host);
    api.put(Host.Builder.class, Host.builder());
    api.put(Connection.class, host.connections().get(0));
    api.put(Stream.class, stream);
    api.put(PeerId.class, peer);
    api.put(Multiaddr.class, address);
    api.put(Multiaddr.Component.class, null);
    api.put(Limits.class, Limits.defaults());
    api.put(CallLimits.class, CallLimits.defaults());
    api.put(CallLimits.Builder.class, CallLimits.builder());
    api.put(Limits.Builder.class, Limits.builder());
    api.put(HostStats.class, host.stats());
    api.put(ConnectionManager.class, ConnectionManager.none());
    api.put(ConnectionManager.Builder.class, ConnectionManager.builder());
    api.put(PeerInfo.class, null);
    api.put(PrivateKey.class, null);
    api.put(PublicKey.class, null);
    values.putAll(
        Map.of(
            String.class,
            Wire.PROTOCOL,
            byte[].class,
            new byte[0],
            Duration.class,
            Duration.ofSeconds(1),
            Path.class,
            Path.of("nowhere"),
            Throwable.class,
            new IllegalStateException(),
            Refusal.class,
            Refusal.STALLED,
            TlsProvider.class,
            TlsProvider.JDK,
            ServerServiceDefinition.class,
            Echo.service()));
    values.put(Channel.class, stream.channel());
    values.put(HostStats.Upkeep.class, HostStats.Upkeep.NONE);
    values.put(PublicKey.class, key.publicKey());
    for (Map.Entry<Class<?>, @Nullable Object> type : api.entrySet()) {
      if (type.getValue() != null) {
        values.putIfAbsent(type.getKey(), type.getValue());
      }
    }
  }

  private static List<Executable> called(Class<?> type) {
    List<Executable> all = new ArrayList<>();
    for (Constructor<?> constructor : type.getConstructors()) {
      all.add(constructor);
    }
    for (Method method : type.getDeclaredMethods()) {
      boolean ours = Modifier.isPublic(method.getModifiers()) && !method.isSynthetic();
      if (ours && !NOT_CALLED_BY_USERS.contains(method.getName())) {
        all.add(method);
      }
    }
    return all;
  }

  private static boolean isStatic(Executable called) {
    return Modifier.isStatic(called.getModifiers());
  }

  private static boolean takesNoNull(Parameter parameter) {
    return !parameter.getType().isPrimitive()
        && !parameter.getAnnotatedType().isAnnotationPresent(Nullable.class);
  }

  /** The text of the NullPointerException; else what has happened. */
  private String callWithNull(Executable called, @Nullable Object receiver, int position)
      throws ReflectiveOperationException {
    Class<?>[] types = called.getParameterTypes();
    @Nullable Object[] arguments = new Object[types.length];
    for (int i = 0; i < types.length; i++) {
      arguments[i] = i == position ? null : value(types[i]);
    }
    try {
      called.setAccessible(true); // Of classes that only their interface makes public.
      if (called instanceof Method method) {
        method.invoke(receiver, arguments);
      } else {
        ((Constructor<?>) called).newInstance(arguments);
      }
      return "no failure";
    } catch (InvocationTargetException e) {
      boolean isNull = e.getCause() instanceof NullPointerException;
      return isNull ? String.valueOf(e.getCause().getMessage()) : String.valueOf(e.getCause());
    }
  }

  private Object value(Class<?> type) {
    Object value = values.get(type);
    if (value != null) {
      return value;
    }
    if (type.isArray()) {
      Object array = Array.newInstance(type.getComponentType(), 1);
      Array.set(array, 0, value(type.getComponentType()));
      return array;
    }
    if (type == boolean.class || type == int.class || type == long.class) {
      return type == boolean.class ? (Object) true : type == int.class ? (Object) 1 : (Object) 1L;
    }
    if (type == List.class || type == Collection.class) {
      return List.of();
    }
    assertThat(type).as("a type without a value").isInterface();
    return Proxy.newProxyInstance(
        getClass().getClassLoader(), new Class<?>[] {type}, (proxy, method, arguments) -> null);
  }
}
