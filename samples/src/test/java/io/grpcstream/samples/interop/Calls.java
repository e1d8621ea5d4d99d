package io.grpcstream.samples.interop;

import io.grpc.Metadata;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The calls that arrived with an {@code x-call} header, by its value. They outlive the gRPC server
 * that served them.
 */
public final class Calls {
  /** Names a call, so that others can watch and steer it. */
  public static final Metadata.Key<String> NAME =
      Metadata.Key.of("x-call", Metadata.ASCII_STRING_MARSHALLER);

  private final Map<String, Call> byName = new ConcurrentHashMap<>();

  /** The call of that name, whether it has started or not. */
  public Call get(String name) {
    return byName.computeIfAbsent(name, unknown -> new Call());
  }

  /** The call that has just arrived, in whose context this runs; without a name, nobody sees it. */
  public Call start(@Nullable String name) {
    Call call = name == null ? new Call() : get(name);
    call.start();
    return call;
  }
}
