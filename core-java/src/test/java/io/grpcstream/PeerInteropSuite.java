package io.grpcstream;

import io.grpc.ManagedChannelBuilder;
import io.grpc.ServerBuilder;
import io.grpc.testing.integration.AbstractInteropTest;
import io.grpcstream.libp2p.Host;
import io.grpcstream.netty.GrpcStats;
import org.junit.After;
import org.junit.Before;

/** grpc-java's own suite for transports, over a channel to a peer and a server for peers. */
abstract class PeerInteropSuite extends AbstractInteropTest {
  private Hosts hosts;
  private Host server;
  private Host client;

  abstract Host.Builder options(Host.Builder builder);

  @Before
  @Override
  public void setUp() {
    hosts = new Hosts();
    server = hosts.start(this::options);
    client = hosts.start(this::options);
    super.setUp();
  }

  @After
  @Override
  public void tearDown() {
    super.tearDown();
    hosts.close();
  }

  @Override
  protected ServerBuilder<?> getServerBuilder() {
    PeerServerBuilder builder = PeerServerBuilder.forProtocol(server, GrpcStream.PROTOCOL);
    GrpcStats.off(builder.delegate()); // The suite brings its own.
    return builder
        .maxInboundMessageSize(AbstractInteropTest.MAX_MESSAGE_SIZE)
        .addStreamTracerFactory(createCustomCensusTracerFactory());
  }

  @Override
  protected ManagedChannelBuilder<?> createChannelBuilder() {
    PeerChannelBuilder builder =
        PeerChannelBuilder.forTarget(client, "libp2p:" + Hosts.address(server));
    GrpcStats.off(builder.delegate());
    return builder
        .maxInboundMessageSize(AbstractInteropTest.MAX_MESSAGE_SIZE)
        .intercept(createCensusStatsClientInterceptor());
  }
}
