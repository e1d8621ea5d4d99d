package io.grpcstream.samples.interop;

import io.grpc.ManagedChannel;
import io.grpcstream.GrpcStream;
import io.grpcstream.greeter.GreeterGrpc;
import io.grpcstream.greeter.GreeterGrpc.GreeterBlockingV2Stub;
import io.grpcstream.interop.InteropGrpc;
import io.grpcstream.interop.InteropGrpc.InteropBlockingV2Stub;
import io.grpcstream.libp2p.Connection;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.crypto.PrivateKey;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;

/** The peer that we call, and the host that calls it. */
public final class Peer implements AutoCloseable {
  public static final String PROTOCOL = "/greeter/1.0.0";

  /** How long anything may take that is not expected to take long. */
  public static final Duration PATIENCE = Duration.ofSeconds(30);

  private final Host host;
  private final Multiaddr address;
  private final String security;

  /**
   * A new host, to call the peer.
   *
   * @param address ends in the peer's id
   * @param security the only secure channel offered, by protocol id
   */
  public Peer(Multiaddr address, String security, PrivateKey identity) throws Exception {
    this.address = address;
    this.security = security;
    host = await(Host.builder().identity(identity).security(security).build().start());
  }

  public Host host() {
    return host;
  }

  public Multiaddr address() {
    return address;
  }

  public PeerId id() {
    return address.peerId().orElseThrow();
  }

  public String security() {
    return security;
  }

  /** The connection that there is, or else a new one. */
  public Connection connect() throws Exception {
    return await(host.connect(address));
  }

  /** A gRPC channel on a new stream. */
  public ManagedChannel open() throws Exception {
    return await(GrpcStream.dial(host, address, PROTOCOL));
  }

  /** Connections to the peer. */
  public List<Connection> connections() {
    return host.connections(id());
  }

  /** Runs with a greeter on a stream of its own. */
  public String withGreeter(Use<GreeterBlockingV2Stub> use) throws Exception {
    return withChannel(channel -> use.with(GreeterGrpc.newBlockingV2Stub(channel)));
  }

  /** Runs with the other service on a stream of its own. */
  public String withInterop(Use<InteropBlockingV2Stub> use) throws Exception {
    return withChannel(channel -> use.with(InteropGrpc.newBlockingV2Stub(channel)));
  }

  private String withChannel(Use<ManagedChannel> use) throws Exception {
    ManagedChannel channel = open();
    try {
      String seen = use.with(channel);
      channel.shutdown();
      return seen;
    } finally {
      channel.shutdownNow(); // Without effect on one that is shut down and has no calls.
    }
  }

  /** Waits for what must not take long. */
  public static <T> T await(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
  }

  @Override
  public void close() {
    host.close();
  }

  /** What is done with a stream, and what was seen. */
  public interface Use<S> {
    String with(S stub) throws Exception;
  }
}
