package io.grpcstream;

import io.grpc.Grpc;
import io.grpc.ServerCall;
import io.grpc.ServerInterceptor;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

/**
 * Who calls what, in SLF4J's {@link MDC}: every log line that belongs to a served call then carries
 * the peer and the method, that of the service as well as our own about the call's failure, on
 * whatever thread or coroutine (see {@link CallScope}). A pattern of Logback's shows them by {@code
 * %X{grpc.peer} %X{grpc.method}}.
 */
public final class CallMdc {
  /**
   * The key of the peer id that the caller has proven; absent in calls that came over no stream.
   */
  public static final String PEER = "grpc.peer";

  /** The key of the method, such as {@code greeter.Greeter/SayHello}. */
  public static final String METHOD = "grpc.method";

  private CallMdc() {}

  /**
   * For servers of other kinds; {@link GrpcStream.Builder#mdc()} and its like have it outside of
   * all other interceptors, which is the place to give it.
   */
  public static ServerInterceptor interceptor() {
    return new CallScopeInterceptor(CallMdc::scopeOf);
  }

  private static CallScope scopeOf(ServerCall<?, ?> call) {
    SocketAddress caller = call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR);
    String peer = caller instanceof PeerAddress address ? address.peerId().toString() : null;
    String method = call.getMethodDescriptor().getFullMethodName();
    return () -> {
      String outerPeer = put(PEER, peer);
      String outerMethod = put(METHOD, method);
      return () -> {
        put(PEER, outerPeer);
        put(METHOD, outerMethod);
      };
    };
  }

  /** Puts {@code value}, or nothing where it is null; returns what was there. */
  private static @Nullable String put(String key, @Nullable String value) {
    String before = MDC.get(key);
    if (value == null) {
      MDC.remove(key);
    } else {
      MDC.put(key, value);
    }
    return before;
  }
}
