package io.grpcstream;

import static io.grpcstream.Hosts.address;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Status;
import io.grpc.Status.Code;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.Limits;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.Stream;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** gRPC's keep-alive over streams, to a peer that takes no bytes any more, and ends nothing. */
@Timeout(180)
class PeerKeepAliveTest {
  /** gRPC's least. */
  private static final long INTERVAL_SECONDS = 10;

  private final Hosts hosts = new Hosts();
  private final Host server = hosts.start(Hosts.TCP);
  private final GrpcStream grpc = GrpcStream.builder().addService(Echo.service()).build().serve();

  /** It sends no signs of life by itself: what is seen here is gRPC's doing. */
  private final Host caller =
      hosts.start(
          builder ->
              builder.limits(
                  Limits.builder()
                      .keepAliveInterval(Duration.ZERO)
                      .streamNegotiationTimeout(Duration.ofSeconds(2))
                      .build()));

  private Link link;
  private Multiaddr target;

  @BeforeEach
  void start() throws Exception {
    server.handle(Wire.PROTOCOL, grpc.handler());
    link = new Link(Integer.parseInt(address(server).value("tcp").orElseThrow()));
    target = link.address().withPeerId(server.peerId());
  }

  @AfterEach
  void close() {
    grpc.shutdown(Duration.ZERO);
    hosts.close();
    link.close();
  }

  private static ManagedChannel keptAlive(ManagedChannelBuilder<?> builder) {
    return builder
        .keepAliveTime(INTERVAL_SECONDS, TimeUnit.SECONDS)
        .keepAliveTimeout(500, TimeUnit.MILLISECONDS)
        .build();
  }

  private void endOfACallWhileTheLinkIsStalled(ManagedChannel channel) throws Exception {
    Echo.Responses responses = new Echo.Responses();
    var call = Echo.bidi(channel, responses);
    call.onNext("x");
    assertThat(responses.next()).isEqualTo("x");
    link.stalled(true);
    Status status = responses.failure(4 * INTERVAL_SECONDS);
    assertThat(status.getCode()).isEqualTo(Code.UNAVAILABLE);
    assertThat(status.getDescription())
        .contains("Keepalive failed")
        .doesNotContain("on this side")
        .containsOnlyOnce(server.peerId().toString());
  }

  @Test
  @DisplayName("A call to a dead peer ends and names it, and the channel goes on when it is back")
  void channelToAPeer() throws Exception {
    ManagedChannel channel =
        keptAlive(PeerChannelBuilder.forAddress(caller, target, Wire.PROTOCOL));
    endOfACallWhileTheLinkIsStalled(channel);
    Status meanwhile = Echo.failure(channel);
    assertThat(meanwhile.getCode()).isEqualTo(Code.UNAVAILABLE);
    assertThat(meanwhile.getDescription()).contains(server.peerId().toString());

    link.stalled(false);
    assertThat(Echo.unaryWhenReady(channel, "again")).isEqualTo("again");
    channel.shutdownNow();
  }

  @Test
  @DisplayName("So does one on the one stream of a channel, and all calls after it fail at once")
  void channelOverAStream() throws Exception {
    Stream stream = Hosts.await(caller.newStream(target, Wire.PROTOCOL));
    ManagedChannel channel = keptAlive(GrpcStream.wrapClientBuilder(stream));
    endOfACallWhileTheLinkIsStalled(channel);
    Status later = Echo.failure(channel);
    assertThat(later.getCode()).isEqualTo(Code.UNAVAILABLE);
    assertThat(later.getDescription()).containsOnlyOnce(server.peerId().toString());
    channel.shutdownNow();
  }
}
