package io.grpcstream.samples.interop;

import io.grpc.Metadata;
import java.util.List;

/** The headers that {@code Echo} sends back. */
public final class Echo {
  public static final Metadata.Key<String> TEXT =
      Metadata.Key.of("x-echo", Metadata.ASCII_STRING_MARSHALLER);
  public static final Metadata.Key<byte[]> BINARY =
      Metadata.Key.of("x-echo-bin", Metadata.BINARY_BYTE_MARSHALLER);

  private Echo() {}

  /** Those of the headers that are to be sent back. */
  public static Metadata of(Metadata headers) {
    Metadata echo = new Metadata();
    for (Metadata.Key<?> key : List.of(TEXT, BINARY)) {
      copy(key, headers, echo);
    }
    return echo;
  }

  private static <T> void copy(Metadata.Key<T> key, Metadata from, Metadata to) {
    Iterable<T> values = from.getAll(key);
    if (values != null) {
      values.forEach(value -> to.put(key, value));
    }
  }
}
