package io.grpcstream.samples.interop;

import io.grpcstream.GrpcStream;
import java.util.LinkedHashMap;
import java.util.Map;

/** GrpcStream's Java API with generated Java stubs. */
final class JavaSide implements Side {
  @Override
  public String language() {
    return "java";
  }

  @Override
  public GrpcStream newServer(Calls calls, Stopper stopper) {
    return GrpcStream.builder()
        .intercept(new CallHeaders())
        .addService(new GreeterService())
        .addService(new InteropService(calls, stopper))
        .build();
  }

  @Override
  public Map<String, Scenario> scenarios() {
    Map<String, Scenario> all = new LinkedHashMap<>();
    all.put("connect", KindScenarios::connect);
    all.put("unary", KindScenarios::unary);
    all.put("server-streaming", KindScenarios::serverStreaming);
    all.put("client-streaming", KindScenarios::clientStreaming);
    all.put("bidi-streaming", KindScenarios::bidiStreaming);
    all.put("metadata", CallScenarios::metadata);
    all.put("deadline", CallScenarios::deadline);
    all.put("cancel", CallScenarios::cancel);
    all.put("abort", CallScenarios::abort);
    all.put("status", CallScenarios::status);
    all.put("large", CallScenarios::large);
    all.put("too-large", CallScenarios::tooLarge);
    all.put("concurrent", LoadScenarios::concurrent);
    all.put("streams", LoadScenarios::streams);
    all.put("slow-caller", LoadScenarios::slowCaller);
    all.put("slow-server", LoadScenarios::slowServer);
    all.put("graceful-stop", EndScenarios::gracefulStop);
    all.put("hard-stop", EndScenarios::hardStop);
    all.put("reconnect", EndScenarios::reconnect);
    all.put("identity", EndScenarios::identity);
    return all;
  }
}
