package io.grpcstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Attributes;
import io.grpc.CallCredentials;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Grpc;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.SecurityLevel;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.Stream;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http2.DefaultHttp2DataFrame;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersFrame;
import io.netty.handler.codec.http2.Http2FrameCodecBuilder;
import io.netty.handler.codec.http2.Http2HeadersFrame;
import io.netty.handler.codec.http2.Http2MultiplexHandler;
import io.netty.handler.codec.http2.Http2StreamChannelBootstrap;
import io.netty.util.ReferenceCountUtil;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What gRPC gets to know of a stream, and how it behaves on one, from host to host. */
@Timeout(60)
class TransportTest {
  private static final Metadata.Key<String> TOKEN =
      Metadata.Key.of("token", Metadata.ASCII_STRING_MARSHALLER);

  private final Hosts hosts = new Hosts();
  private final Host listener = hosts.start(Hosts.TCP);
  private final Host opener = hosts.start(Hosts.TCP);
  private final Calls calls = new Calls();

  @AfterEach
  void close() {
    hosts.close();
  }

  private GrpcStream.Builder server() {
    return GrpcStream.builder().addService(Echo.service()).intercept(calls);
  }

  private Stream open(GrpcStream acceptor) {
    return Hosts.open(opener, listener, acceptor.handler());
  }

  /** Remembers what the latest call looked like to the server. */
  private static final class Calls implements ServerInterceptor {
    private volatile Attributes attributes = Attributes.EMPTY;
    private volatile String authority = "none yet";
    private volatile String token = "none yet";
    private volatile boolean inEventLoop;

    @Override
    public <Q, R> ServerCall.Listener<Q> interceptCall(
        ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
      attributes = call.getAttributes();
      authority = String.valueOf(call.getAuthority());
      token = String.valueOf(headers.get(TOKEN));
      Stream stream = Objects.requireNonNull(attributes.get(GrpcStream.TRANSPORT_ATTR_STREAM));
      inEventLoop = stream.channel().eventLoop().inEventLoop();
      return next.startCall(call, headers);
    }
  }

  @Test
  void serverKnowsPeersAndStream() {
    ManagedChannel channel = GrpcStream.wrapClient(open(server().build().serve()));
    Echo.unary(channel, "hello");

    PeerAddress remote = (PeerAddress) calls.attributes.get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR);
    PeerAddress local = (PeerAddress) calls.attributes.get(Grpc.TRANSPORT_ATTR_LOCAL_ADDR);
    assertThat(remote.peerId()).isEqualTo(opener.peerId());
    assertThat(remote.multiaddr().value("ip4")).contains("127.0.0.1");
    assertThat(remote.toString()).endsWith("/p2p/" + opener.peerId());
    assertThat(local.peerId()).isEqualTo(listener.peerId());
    assertThat(calls.authority).isEqualTo(listener.peerId().toString());
  }

  @Test
  void clientKnowsPeersAndStream() throws Exception {
    Stream stream = open(server().build().serve());
    ManagedChannel channel = GrpcStream.wrapClient(stream);
    ClientCall<String, String> call = channel.newCall(Echo.UNARY, CallOptions.DEFAULT);
    ClientCalls.futureUnaryCall(call, "hello").get(10, TimeUnit.SECONDS);

    Attributes attributes = call.getAttributes();
    PeerAddress remote = (PeerAddress) attributes.get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR);
    PeerAddress local = (PeerAddress) attributes.get(Grpc.TRANSPORT_ATTR_LOCAL_ADDR);
    assertThat(remote.peerId()).isEqualTo(listener.peerId());
    assertThat(local.peerId()).isEqualTo(opener.peerId());
    assertThat(attributes.get(GrpcStream.TRANSPORT_ATTR_STREAM)).isSameAs(stream);
  }

  @Test
  @DisplayName("Credentials that demand privacy and integrity are sent")
  void privateCredentialsAreSent() {
    ManagedChannel channel = GrpcStream.wrapClient(open(server().build().serve()));
    AtomicReference<SecurityLevel> level = new AtomicReference<>();
    CallCredentials credentials =
        new CallCredentials() {
          @Override
          public void applyRequestMetadata(
              RequestInfo request, Executor executor, MetadataApplier applier) {
            level.set(request.getSecurityLevel());
            Metadata headers = new Metadata();
            headers.put(TOKEN, "secret");
            applier.apply(headers);
          }
        };
    ClientCalls.blockingUnaryCall(
        channel, Echo.UNARY, CallOptions.DEFAULT.withCallCredentials(credentials), "hello");

    assertThat(level).hasValue(SecurityLevel.PRIVACY_AND_INTEGRITY);
    assertThat(calls.token).isEqualTo("secret");
  }

  @Test
  void callsMayNameAnyAuthority() {
    ManagedChannel channel = GrpcStream.wrapClient(open(server().build().serve()));
    ClientCalls.blockingUnaryCall(
        channel, Echo.UNARY, CallOptions.DEFAULT.withAuthority("example.org"), "hello");

    assertThat(calls.authority).isEqualTo("example.org");
  }

  /** As Go's clients over libp2p send it. */
  @Test
  void callWithEmptyAuthorityIsServed() throws Exception {
    Stream stream = open(server().build().serve());
    RawCall call = new RawCall();
    stream
        .channel()
        .pipeline()
        .addLast(Http2FrameCodecBuilder.forClient().build(), new Http2MultiplexHandler(call));
    new Http2StreamChannelBootstrap(stream.channel())
        .handler(call)
        .open()
        .get(10, TimeUnit.SECONDS);

    assertThat(call.status.get(10, TimeUnit.SECONDS)).isEqualTo("0");
    assertThat(calls.authority).isEmpty();
  }

  @Test
  void gRpcRunsOnTheEventLoopOfTheStream() {
    GrpcStream direct = server().directExecutor().build().serve();
    ManagedChannel channel = GrpcStream.wrapClient(open(direct));
    Echo.unary(channel, "hello");

    assertThat(calls.inEventLoop).isTrue();
  }

  @Test
  @DisplayName("Client callbacks run on the event loop of the stream if the executor is direct")
  void directCallbacksRunOnTheEventLoop() throws Exception {
    Stream stream = open(server().build().serve());
    ManagedChannel channel = GrpcStream.wrapClientBuilder(stream).directExecutor().build();
    CompletableFuture<Boolean> inEventLoop = new CompletableFuture<>();
    ClientCalls.asyncUnaryCall(
        channel.newCall(Echo.UNARY, CallOptions.DEFAULT),
        "hello",
        new StreamObserver<String>() {
          @Override
          public void onNext(String response) {
            inEventLoop.complete(stream.channel().eventLoop().inEventLoop());
          }

          @Override
          public void onError(Throwable failure) {
            inEventLoop.completeExceptionally(failure);
          }

          @Override
          public void onCompleted() {}
        });

    assertThat(inEventLoop.get(10, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  @DisplayName("A call sent while the stream waits in the backlog is served later")
  void callSentFromTheBacklog() throws Exception {
    GrpcStream accepting = server().build();
    ManagedChannel channel = GrpcStream.wrapClient(open(accepting));
    Echo.Responses responses = new Echo.Responses();
    Echo.bidi(channel, responses).onNext("early");
    GrpcConnection connection = Hosts.await(accepting.accept());
    assertThat(connection.remotePeer()).isEqualTo(opener.peerId());
    connection.serve();

    assertThat(responses.next()).isEqualTo("early");
  }

  @Test
  void roundsOfOpeningAndClosingLeaveNoStream() {
    GrpcStream grpc = server().build().serve();
    for (int i = 0; i < 50; i++) {
      Stream stream = open(grpc);
      ManagedChannel channel = GrpcStream.wrapClient(stream);
      assertThat(Echo.unary(channel, "hello")).isEqualTo("hello");
      channel.shutdown();
      Hosts.await(stream.closed());
    }
    assertThat(Hosts.await(grpc.shutdown(Duration.ofSeconds(10)))).isNull();
    // A stream is counted until both sides have ended it. One of identify's may be left.
    Hosts.eventually("no stream is left", () -> opener.stats().outboundStreams() <= 1);
  }

  @Test
  @DisplayName("A sender is not ready while the receiver takes nothing, and resumes without loss")
  void senderWaitsForTheReceiver() throws Exception {
    int total = 1_000;
    String chunk = "x".repeat(10_000);
    AtomicInteger sent = new AtomicInteger();
    CountDownLatch stalled = new CountDownLatch(1);
    ServerServiceDefinition source =
        ServerServiceDefinition.builder(Echo.NAME)
            .addMethod(
                Echo.SERVER_STREAM,
                ServerCalls.asyncServerStreamingCall(
                    (String request, StreamObserver<String> responses) -> {
                      var call = (ServerCallStreamObserver<String>) responses;
                      call.setOnReadyHandler(
                          () -> {
                            while (call.isReady() && sent.get() < total) {
                              call.onNext(chunk);
                              sent.incrementAndGet();
                            }
                            if (sent.get() == total) {
                              call.onCompleted();
                            } else {
                              stalled.countDown();
                            }
                          });
                    }))
            .build();
    GrpcStream grpc = GrpcStream.builder().addService(source).build().serve();
    ManagedChannel channel = GrpcStream.wrapClient(open(grpc));
    CompletableFuture<Status> end = new CompletableFuture<>();
    AtomicInteger received = new AtomicInteger();
    ClientCall<String, String> call = channel.newCall(Echo.SERVER_STREAM, CallOptions.DEFAULT);
    call.start(
        new ClientCall.Listener<>() {
          @Override
          public void onMessage(String message) {
            received.incrementAndGet();
          }

          @Override
          public void onClose(Status status, Metadata trailers) {
            end.complete(status);
          }
        },
        new Metadata());
    call.sendMessage("go");
    call.halfClose();

    assertThat(stalled.await(10, TimeUnit.SECONDS)).isTrue();
    // gRPC's receive window of 1 MiB, its send buffer of 32 KiB, and a chunk over.
    assertThat(sent.get() * chunk.length()).isLessThan((1 << 20) + (32 << 10) + 2 * chunk.length());
    assertThat(received).hasValue(0);
    call.request(total + 1);
    assertThat(end.get(30, TimeUnit.SECONDS)).isEqualTo(Status.OK);
    assertThat(received).hasValue(total);
  }

  /** One unary call in bare HTTP/2; yields the text of its {@code grpc-status}. */
  private static final class RawCall extends ChannelInboundHandlerAdapter {
    private final CompletableFuture<String> status = new CompletableFuture<>();

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
      ctx.write(
          new DefaultHttp2HeadersFrame(
              new DefaultHttp2Headers(false) // Netty's own check forbids an empty authority.
                  .scheme("http")
                  .method("POST")
                  .path("/" + Echo.UNARY.getFullMethodName())
                  .authority("")
                  .set("content-type", "application/grpc")
                  .set("te", "trailers")));
      byte[] emptyMessage = new byte[5];
      ctx.writeAndFlush(new DefaultHttp2DataFrame(Unpooled.wrappedBuffer(emptyMessage), true));
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
      status.completeExceptionally(cause);
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object frame) {
      if (frame instanceof Http2HeadersFrame headers && headers.isEndStream()) {
        status.complete(String.valueOf(headers.headers().get("grpc-status")));
      }
      ReferenceCountUtil.release(frame);
    }
  }
}
