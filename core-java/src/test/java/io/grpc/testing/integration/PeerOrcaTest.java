package io.grpc.testing.integration;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.LoadBalancerRegistry;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.services.MetricRecorder;
import io.grpc.stub.StreamObserver;
import io.grpc.testing.integration.Messages.ResponseParameters;
import io.grpc.testing.integration.Messages.SimpleRequest;
import io.grpc.testing.integration.Messages.StreamingOutputCallRequest;
import io.grpc.testing.integration.Messages.StreamingOutputCallResponse;
import io.grpc.testing.integration.Messages.TestOrcaReport;
import io.grpc.xds.orca.OrcaMetricReportingServerInterceptor;
import io.grpc.xds.orca.OrcaServiceImpl;
import io.grpcstream.GrpcPeer;
import io.grpcstream.GrpcStream;
import io.grpcstream.PeerChannelBuilder;
import io.grpcstream.PeerServerBuilder;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * gRPC's ORCA cases, {@code orca_per_rpc} and {@code orca_oob}, from peer to peer: a server tells
 * the load balancer of a channel how busy it is, with the trailers of each call, or by a call that
 * the balancer makes over the sub-channel itself.
 */
@Timeout(120)
class PeerOrcaTest {
  private final CustomBackendMetricsLoadBalancerProvider balancer =
      new CustomBackendMetricsLoadBalancerProvider();
  private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
  private final GrpcPeer serving = GrpcPeer.builder().listen("/ip4/127.0.0.1/tcp/0").build();
  private final GrpcPeer calling = GrpcPeer.builder().build();
  private Server server;
  private ManagedChannel channel;

  @BeforeEach
  void start() throws Exception {
    LoadBalancerRegistry.getDefaultRegistry().register(balancer);
    MetricRecorder metrics = MetricRecorder.newInstance();
    server =
        PeerServerBuilder.forProtocol(serving.host(), GrpcStream.PROTOCOL)
            .addService(new TestServiceImpl(timer, metrics))
            .addService(OrcaServiceImpl.createService(timer, metrics, 100, TimeUnit.MILLISECONDS))
            .intercept(OrcaMetricReportingServerInterceptor.create(metrics))
            .build()
            .start();
    serving.start().toCompletableFuture().get();
    calling.start().toCompletableFuture().get();
    Map<String, ?> policy =
        Map.of(CustomBackendMetricsLoadBalancerProvider.TEST_ORCA_LB_POLICY_NAME, Map.of());
    channel =
        PeerChannelBuilder.forTarget(calling.host(), "libp2p:" + serving.addresses().get(0))
            .defaultServiceConfig(Map.of("loadBalancingConfig", List.of(policy)))
            .build();
  }

  @AfterEach
  void close() throws Exception {
    channel.shutdownNow();
    server.shutdownNow();
    calling.close();
    serving.close();
    assertThat(server.awaitTermination(20, TimeUnit.SECONDS)).isTrue();
    timer.shutdownNow();
    LoadBalancerRegistry.getDefaultRegistry().deregister(balancer);
  }

  private static TestOrcaReport report(double cpu, double memory, double util) {
    return TestOrcaReport.newBuilder()
        .setCpuUtilization(cpu)
        .setMemoryUtilization(memory)
        .putUtilization("util", util)
        .build();
  }

  @Test
  @DisplayName("orca_per_rpc: the balancer hears of each call what its server reports")
  void orcaPerRpc() {
    AtomicReference<TestOrcaReport> heard = new AtomicReference<>();
    TestOrcaReport told =
        report(0.8210, 0.5847, 0.30499).toBuilder().putRequestCost("cost", 3456.32).build();
    TestServiceGrpc.newBlockingStub(channel)
        .withOption(TestServiceClient.ORCA_RPC_REPORT_KEY, heard)
        .unaryCall(SimpleRequest.newBuilder().setOrcaPerQueryReport(told).build());
    assertThat(heard.get()).isEqualTo(told);
  }

  @Test
  @DisplayName("orca_oob: the balancer hears of the server also between calls")
  void orcaOob() throws InterruptedException {
    BlockingQueue<StreamingOutputCallResponse> responses = new LinkedBlockingQueue<>();
    BlockingQueue<String> end = new LinkedBlockingQueue<>();
    StreamObserver<StreamingOutputCallRequest> requests =
        TestServiceGrpc.newStub(channel)
            .fullDuplexCall(
                new StreamObserver<>() {
                  @Override
                  public void onNext(StreamingOutputCallResponse response) {
                    responses.add(response);
                  }

                  @Override
                  public void onError(Throwable failure) {
                    end.add("failed: " + failure);
                  }

                  @Override
                  public void onCompleted() {
                    end.add("complete");
                  }
                });
    for (TestOrcaReport told :
        List.of(report(0.8210, 0.5847, 0.30499), report(0.29309, 0.2, 0.2039))) {
      requests.onNext(
          StreamingOutputCallRequest.newBuilder()
              .setOrcaOobReport(told)
              .addResponseParameters(ResponseParameters.newBuilder().setSize(1).build())
              .build());
      assertThat(responses.poll(20, TimeUnit.SECONDS)).isNotNull();
      awaitReport(told);
    }
    requests.onCompleted();
    assertThat(end.poll(20, TimeUnit.SECONDS)).isEqualTo("complete");
    assertThat(calling.host().connections()).hasSize(1);
  }

  private void awaitReport(TestOrcaReport told) {
    AtomicReference<TestOrcaReport> heard = new AtomicReference<>();
    TestServiceGrpc.TestServiceBlockingStub stub =
        TestServiceGrpc.newBlockingStub(channel)
            .withOption(TestServiceClient.ORCA_OOB_REPORT_KEY, heard);
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    do {
      assertThat(System.nanoTime() - deadline).as("heard %s", heard.get()).isNegative();
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
      stub.emptyCall(EmptyProtos.Empty.getDefaultInstance());
    } while (!told.equals(heard.get()));
  }
}
