package io.grpcstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.testing.MuxedChannel;
import io.libp2p.core.Connection;
import io.libp2p.core.multistream.ProtocolBinding;
import io.libp2p.transport.implementation.P2PChannelOverNetty;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.local.LocalIoHandler;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** gRPC over streams that behave as those of jvm-libp2p, where they differ from others. */
@Timeout(60)
class MuxedStreamTest {
  private static final String BIG = "a".repeat(3 << 20);

  private final Wire wire = Wire.muxed();
  private final GrpcStream grpc = GrpcStream.builder().addService(Echo.service()).build();
  private final CompletableFuture<Stream> accepted = new CompletableFuture<>();

  @AfterEach
  void close() throws Exception {
    get(grpc.shutdown(Duration.ZERO).toCompletableFuture());
    wire.close();
  }

  private static <T> T get(Future<T> future) throws Exception {
    return future.get(10, TimeUnit.SECONDS);
  }

  private Stream open() {
    return wire.open(
        stream -> {
          accepted.complete(stream);
          grpc.onStream(stream);
        });
  }

  @Test
  void whatComesWhileAStreamWaitsToBeAcceptedIsNotLost() throws Exception {
    ManagedChannel channel = GrpcStream.wrapClient(open());
    Echo.Responses responses = new Echo.Responses();
    var call = Echo.bidi(channel, responses);
    call.onNext("hello");
    GrpcConnection connection = get(grpc.accept().toCompletableFuture());
    connection.serve();

    assertThat(responses.next()).isEqualTo("hello");
    call.onCompleted();
    responses.awaitEnd();
  }

  @Test
  void aPeerThatFloodsAWaitingStreamIsResetAndTheNextIsServed() throws Exception {
    Stream flooding = open();
    flooding.channel().writeAndFlush(Unpooled.buffer().writeZero(2 << 20));
    get(flooding.closed().toCompletableFuture());
    get(get(accepted).closed().toCompletableFuture());

    ManagedChannel channel = GrpcStream.wrapClient(open());
    Echo.Responses responses = new Echo.Responses();
    Echo.bidi(channel, responses).onNext("next");
    get(grpc.accept().toCompletableFuture()).serve();
    assertThat(responses.next()).isEqualTo("next");
  }

  @Test
  void aGracefulShutdownLosesNothingOfABigAnswer() throws Exception {
    grpc.serve();
    ManagedChannel channel = GrpcStream.wrapClient(open());
    Echo.Responses responses = new Echo.Responses();
    var call = Echo.bidi(channel, responses);
    call.onNext("1");
    assertThat(responses.next()).isEqualTo("1");

    var ended = grpc.shutdown(Duration.ofSeconds(30)).toCompletableFuture();
    call.onNext(BIG);
    call.onCompleted();
    assertThat(responses.next()).isEqualTo(BIG);
    responses.awaitEnd();
    get(ended);
    assertThat(channel.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void aResetInACallNamesPeerAndProtocol() throws Exception {
    grpc.serve();
    Stream stream = open();
    ManagedChannel channel = GrpcStream.wrapClient(stream);
    Echo.Responses responses = new Echo.Responses();
    Echo.bidi(channel, responses).onNext("1");
    assertThat(responses.next()).isEqualTo("1");
    get(accepted).reset();

    Status failure = responses.failure();
    assertThat(failure.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(failure.getDescription())
        .contains(stream.remotePeer().toString(), Wire.PROTOCOL, "reset it");
    get(stream.closed().toCompletableFuture());
  }

  @Test
  void aSlowReaderStopsItsSenderWithinTheWindowsOfHttp2() throws Exception {
    Flood flood = new Flood(1);
    grpc.registerService(flood.service());
    grpc.serve();
    ManagedChannel channel = GrpcStream.wrapClient(open());
    flood.serverStream(channel);
    flood.clientStream(channel);
    Hosts.eventually(
        "both senders stop",
        () ->
            flood.pumps().size() == 2
                && flood.pumps().stream().noneMatch(pump -> pump.isReady())
                && Echo.unary(channel, "still there?").equals("still there?"));
    assertThat(flood.pumps())
        .allMatch(pump -> (long) pump.sent() * Flood.MESSAGE_BYTES <= 9L << 20);
  }

  @Test
  void theLinesOfTheReadmeServeAndCall() throws Exception {
    grpc.serve();
    PeerId server = Wire.peer();
    PeerId client = Wire.peer();
    ProtocolBinding<Optional<ManagedChannel>> serving =
        JvmLibp2pExample.binding(() -> theirs(server), Wire.PROTOCOL, grpc);
    GrpcStream caller = GrpcStream.create();
    ProtocolBinding<Optional<ManagedChannel>> calling =
        JvmLibp2pExample.binding(() -> theirs(client), Wire.PROTOCOL, caller);
    MuxedChannel near = MuxedChannel.create();
    MultiThreadIoEventLoopGroup group =
        new MultiThreadIoEventLoopGroup(2, LocalIoHandler.newFactory());
    try {
      EventLoop serverLoop = group.next();
      ManagedChannel channel = get(init(group.next(), calling, near, server, true)).orElseThrow();
      assertThat(get(init(serverLoop, serving, near.peer(), client, false))).isEmpty();
      assertThat(Echo.unary(channel, BIG)).isEqualTo(BIG);
      assertThat(channel.authority()).isEqualTo(server.toString());
      get(caller.shutdown(Duration.ofSeconds(5)).toCompletableFuture());
      near.closeFuture().sync();
    } finally {
      group.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
    }
  }

  private static io.libp2p.core.PeerId theirs(PeerId peer) {
    return new io.libp2p.core.PeerId(peer.bytes());
  }

  /** What jvm-libp2p does with a binding once a stream is negotiated, on its event loop. */
  private static Future<Optional<ManagedChannel>> init(
      EventLoop loop,
      ProtocolBinding<Optional<ManagedChannel>> binding,
      Channel channel,
      PeerId remote,
      boolean initiator) {
    return loop.submit(
        () -> {
          loop.register(channel);
          return binding
              .initChannel(new TheirStream(channel, remote, initiator), Wire.PROTOCOL)
              .get();
        });
  }

  private static final class TheirStream extends P2PChannelOverNetty
      implements io.libp2p.core.Stream {
    private final PeerId remote;

    TheirStream(Channel channel, PeerId remote, boolean initiator) {
      super(channel, initiator);
      this.remote = remote;
    }

    @Override
    public io.libp2p.core.PeerId remotePeerId() {
      return theirs(remote);
    }

    @Override
    public Connection getConnection() {
      Multiaddr address = Multiaddr.parse("/ip4/127.0.0.1/tcp/4001").withPeerId(remote);
      return () -> new io.libp2p.core.multiformats.Multiaddr(address.toString());
    }
  }
}
