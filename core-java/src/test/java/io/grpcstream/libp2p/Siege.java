package io.grpcstream.libp2p;

import static io.grpcstream.libp2p.TestHosts.ECHO;
import static io.grpcstream.libp2p.TestHosts.await;
import static io.grpcstream.libp2p.TestHosts.echo;
import static io.grpcstream.libp2p.TestHosts.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpcstream.libp2p.crypto.PrivateKey;
import io.grpcstream.libp2p.crypto.PublicKey;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufAllocatorMetric;
import io.netty.buffer.ByteBufAllocatorMetricProvider;
import java.util.function.UnaryOperator;

/**
 * A host under attack over TCP, with an honest peer that keeps a stream open on a connection of its
 * own, and the log. The stream must live on and, once the attackers have gone, be all there is.
 */
final class Siege implements AutoCloseable {
  /** What one attack may make the host allocate: buffers of a few reads, and arenas for them. */
  private static final long ALLOWED_MEMORY = 16 << 20;

  final LogLines log = new LogLines();
  final TestHosts hosts = new TestHosts();
  final Host server;
  final Host honest;
  private final PrivateKey honestKey = PrivateKey.generateEd25519();
  final Stream stream;
  private final long memoryBefore;

  /** A host with default limits. */
  Siege() {
    this(limits -> limits);
  }

  Siege(UnaryOperator<Limits.Builder> limits) {
    this(limits, builder -> builder);
  }

  /** Both hosts with those options. */
  Siege(UnaryOperator<Limits.Builder> limits, UnaryOperator<Host.Builder> options) {
    server =
        hosts.start(
            builder ->
                options
                    .apply(builder)
                    .listen(TestHosts.TCP)
                    .limits(limits.apply(Limits.builder()).build()));
    honest = hosts.start(builder -> options.apply(builder).identity(honestKey));
    stream = await(honest.newStream(TestHosts.address(server), ECHO));
    assertThat(echo(stream, "before")).isEqualTo("before");
    onlyTheHonestPeerIsLeft();
    memoryBefore = memory();
  }

  private static long memory() {
    ByteBufAllocatorMetric metric =
        ((ByteBufAllocatorMetricProvider) ByteBufAllocator.DEFAULT).metric();
    return metric.usedDirectMemory() + metric.usedHeapMemory();
  }

  /** What the host has allocated for buffers since the attack began is within bounds. */
  void memoryIsBounded() {
    assertThat(memory() - memoryBefore).isLessThan(ALLOWED_MEMORY);
  }

  /** The honest peer's stream works; may be asked at any time. */
  void honestStreamLives() {
    assertThat(echo(stream, "still here")).isEqualTo("still here");
  }

  /** The attackers are gone, and have left nothing; the honest peer is as before. */
  void isOver() {
    onlyTheHonestPeerIsLeft();
    honestStreamLives();
    memoryIsBounded();
  }

  private void onlyTheHonestPeerIsLeft() {
    eventually(
        () -> "only the honest peer's stream, have " + server.stats() + server.connections(),
        () -> {
          HostStats stats = server.stats();
          return server.connections().size() == 1
              && stats.inboundConnections() == 1
              && stats.outboundConnections() == 0
              && stats.pendingInboundConnections() == 0
              && stats.inboundStreams() == 1
              && stats.outboundStreams() == 0;
        });
  }

  /** The honest peer's identity, for those who claim to be it. */
  PublicKey honestKey() {
    return honestKey.publicKey();
  }

  /** How often the host has refused something for that reason. */
  long refused(Refusal refusal) {
    return server.stats().refusals(refusal);
  }

  @Override
  public void close() {
    log.close();
    hosts.close();
  }
}
