package io.grpcstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.ManagedChannel;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.local.LocalIoHandler;
import io.netty.channel.nio.NioIoHandler;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The lines of the guide for jvm-libp2p, between two hosts that run them as that does. */
@Timeout(120)
class JvmLibp2pExampleTest {
  private static final String PROTOCOL = "/greeter/1.0.0";
  private static final String BIG = "a".repeat(3 << 20);

  private final MultiThreadIoEventLoopGroup local =
      new MultiThreadIoEventLoopGroup(2, LocalIoHandler.newFactory());
  private final MultiThreadIoEventLoopGroup nio =
      new MultiThreadIoEventLoopGroup(2, NioIoHandler.newFactory());
  private final GrpcStream ours = GrpcStream.builder().addService(Echo.service()).build().serve();
  private final GrpcStream others = GrpcStream.builder().addService(Echo.service()).build().serve();

  @AfterEach
  void close() throws Exception {
    get(ours.shutdown(Duration.ofSeconds(5)).toCompletableFuture());
    get(others.shutdown(Duration.ofSeconds(5)).toCompletableFuture());
    local.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
    nio.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
  }

  private static <T> T get(Future<T> future) throws Exception {
    return future.get(10, TimeUnit.SECONDS);
  }

  @Test
  void theyServeAndCallOverStreamsLikeThoseOfYamux() throws Exception {
    serveAndCall(local, ChannelPair::muxed);
  }

  @Test
  void theyServeAndCallOverStreamsLikeThoseOfQuic() throws Exception {
    serveAndCall(nio, ChannelPair::duplex);
  }

  private void serveAndCall(MultiThreadIoEventLoopGroup group, Supplier<ChannelPair> pairs)
      throws Exception {
    Map<io.libp2p.core.PeerId, TheirHost> network = new ConcurrentHashMap<>();
    TheirHost host = new TheirHost(network, group, pairs);
    host.addProtocolHandler(JvmLibp2pExample.binding(host, PROTOCOL, ours));
    TheirHost other = new TheirHost(network, group, pairs);
    other.addProtocolHandler(JvmLibp2pExample.binding(other, PROTOCOL, others));

    allKindsOfCalls(
        get(JvmLibp2pExample.dial(host, PROTOCOL, other.getPeerId(), other.address())), other);
    allKindsOfCalls(
        get(JvmLibp2pExample.dial(other, PROTOCOL, host.getPeerId(), host.address())), host);
    manyAtOnce(host, other);
  }

  private static void allKindsOfCalls(ManagedChannel channel, TheirHost server) throws Exception {
    assertThat(channel.authority()).isEqualTo(server.id().toString());
    assertThat(Echo.unary(channel, BIG)).isEqualTo(BIG);
    assertThat(Echo.serverStream(channel, "a")).containsExactly("a", "a", "a");
    assertThat(Echo.clientStream(channel, "a", "b", "c")).isEqualTo("abc");
    Echo.Responses responses = new Echo.Responses();
    var call = Echo.bidi(channel, responses);
    call.onNext("hello");
    assertThat(responses.next()).isEqualTo("hello");
    call.onCompleted();
    responses.awaitEnd();
  }

  private static void manyAtOnce(TheirHost from, TheirHost to) throws Exception {
    List<CompletableFuture<ManagedChannel>> channels = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      channels.add(JvmLibp2pExample.dial(from, PROTOCOL, to.getPeerId(), to.address()));
    }
    for (CompletableFuture<ManagedChannel> channel : channels) {
      assertThat(Echo.unary(get(channel), "each")).isEqualTo("each");
    }
  }
}
