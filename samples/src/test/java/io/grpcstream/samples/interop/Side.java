package io.grpcstream.samples.interop;

import io.grpcstream.GrpcStream;
import java.util.Map;

/** GrpcStream in one of the languages of the JVM: what serves, and what calls. */
public interface Side {
  /** The language, in lower case. */
  String language();

  /** A new server of both services, not yet serving. */
  GrpcStream newServer(Calls calls, Stopper stopper);

  /** All scenarios of {@code samples/interop/README.md} by name, in its order. */
  Map<String, Scenario> scenarios();
}
