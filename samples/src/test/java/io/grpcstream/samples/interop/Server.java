package io.grpcstream.samples.interop;

import io.grpcstream.GrpcStream;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.Limits;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.crypto.PrivateKey;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** A host that serves both services, by a gRPC server that calls to {@code Stop} replace. */
final class Server implements AutoCloseable {
  private static final Duration GRACE = Duration.ofSeconds(30);
  private static final int STREAMS = 256; // from one peer; the contract asks for 100

  private final Side side;
  private final Calls calls = new Calls();
  private final Host host;
  private GrpcStream current;

  /**
   * @param security the only secure channel offered, by protocol id
   */
  Server(Side side, String security, PrivateKey identity) throws Exception {
    this.side = side;
    this.current = newServer();
    Limits limits =
        Limits.builder().inboundStreamsPerPeer(STREAMS).inboundStreamsPerProtocol(STREAMS).build();
    host =
        Host.builder()
            .identity(identity)
            .security(security)
            .limits(limits)
            .listen("/ip4/127.0.0.1/tcp/0")
            .build();
    host.handle(Peer.PROTOCOL, this::handle);
    host.start().toCompletableFuture().get(Peer.PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** Where it serves. */
  Multiaddr address() {
    return host.listenAddresses().get(0);
  }

  private synchronized void handle(Stream stream) throws Exception {
    current.handler().onStream(stream);
  }

  private GrpcStream newServer() {
    return side.newServer(calls, this::restart).serve();
  }

  private synchronized void restart(boolean graceful) {
    GrpcStream before = current;
    current = newServer();
    before.shutdown(graceful ? GRACE : Duration.ZERO);
  }

  @Override
  public synchronized void close() {
    current.shutdown(Duration.ZERO);
    host.close();
  }
}
