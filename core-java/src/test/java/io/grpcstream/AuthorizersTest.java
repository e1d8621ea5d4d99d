package io.grpcstream;

import static io.grpcstream.Hosts.address;
import static io.grpcstream.Hosts.await;
import static io.grpcstream.Hosts.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.util.concurrent.ListenableFuture;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.Refusal;
import io.grpcstream.libp2p.Stream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Authorizers that look up what they answer, and limits for each peer. */
@Timeout(60)
class AuthorizersTest {
  private static final Metadata.Key<String> TOKEN =
      Metadata.Key.of("token", Metadata.ASCII_STRING_MARSHALLER);

  private final Hosts hosts = new Hosts();
  private final Host listener = hosts.start(Hosts.MEMORY);
  private final Host caller = hosts.start(Hosts.MEMORY);
  private final List<ManagedChannel> channels = new ArrayList<>();
  private final List<Server> servers = new ArrayList<>();

  @AfterEach
  void close() throws Exception {
    for (ManagedChannel channel : channels) {
      channel.shutdownNow();
      assertThat(channel.awaitTermination(20, TimeUnit.SECONDS)).isTrue();
    }
    for (Server server : servers) {
      server.shutdownNow();
      assertThat(server.awaitTermination(20, TimeUnit.SECONDS)).isTrue();
    }
    hosts.close();
  }

  private PeerServerBuilder builder() {
    return PeerServerBuilder.forProtocol(listener, Wire.PROTOCOL).addService(Echo.service());
  }

  private ManagedChannel serve(PeerServerBuilder builder) throws Exception {
    servers.add(builder.build().start());
    ManagedChannel channel =
        PeerChannelBuilder.forAddress(caller, address(listener), Wire.PROTOCOL).build();
    channels.add(channel);
    return channel;
  }

  private static ListenableFuture<String> call(Channel channel) {
    return ClientCalls.futureUnaryCall(channel.newCall(Echo.UNARY, CallOptions.DEFAULT), "x");
  }

  @Test
  @DisplayName("A stream whose peer is looked up waits for the answer, and is then served")
  void lookedUpAndAllowed() throws Exception {
    BlockingQueue<PeerId> asked = new LinkedBlockingQueue<>();
    CompletableFuture<Boolean> answer = new CompletableFuture<>();
    ManagedChannel channel =
        serve(
            builder()
                .asyncAuthorizer(
                    (peer, protocol) -> {
                      asked.add(peer);
                      return answer;
                    }));
    ListenableFuture<String> call = call(channel);
    assertThat(asked.poll(20, TimeUnit.SECONDS)).isEqualTo(caller.peerId());
    assertThat(call.isDone()).isFalse();
    answer.complete(true);
    assertThat(call.get(20, TimeUnit.SECONDS)).isEqualTo("x");
    assertThat(asked).isEmpty();
  }

  @Test
  @DisplayName("A peer that is looked up and not allowed gets PERMISSION_DENIED")
  void lookedUpAndDenied() throws Exception {
    CompletableFuture<Boolean> answer = new CompletableFuture<>();
    ManagedChannel channel = serve(builder().asyncAuthorizer((peer, protocol) -> answer));
    ListenableFuture<String> call = call(channel);
    answer.complete(false);
    assertThat(statusOf(call).getCode()).isEqualTo(Status.Code.PERMISSION_DENIED);
  }

  private static Status statusOf(ListenableFuture<String> call) throws Exception {
    try {
      call.get(20, TimeUnit.SECONDS);
      throw new AssertionError("the call did not fail");
    } catch (java.util.concurrent.ExecutionException e) {
      return Status.fromThrowable(e);
    }
  }

  @Test
  @DisplayName(
      "A lookup that fails or does not end resets the stream, and its end cancels a lookup")
  void lookupsThatFail() {
    CompletableFuture<Boolean> never = new CompletableFuture<>();
    GrpcStream failing =
        GrpcStream.builder()
            .asyncAuthorizer(
                (peer, protocol) -> CompletableFuture.failedFuture(new IllegalStateException("db")))
            .build();
    GrpcStream waiting =
        GrpcStream.builder()
            .backlogTimeout(Duration.ofMillis(50))
            .asyncAuthorizer((peer, protocol) -> never)
            .build();
    listener.handle("/failing", failing.serve().handler());
    listener.handle("/waiting", waiting.serve().handler());
    for (String protocol : List.of("/failing", "/waiting")) {
      caller
          .newStream(address(listener), protocol)
          .thenCompose(Stream::closed)
          .exceptionally(reset -> null);
    }
    eventually(
        "both were reset",
        () ->
            listener.stats().refusals(Refusal.NOT_AUTHORIZED) == 1
                && listener.stats().refusals(Refusal.NOT_ACCEPTED) == 1);
    eventually("the lookup was cancelled", never::isCancelled);
    await(failing.shutdown(Duration.ZERO));
    await(waiting.shutdown(Duration.ZERO));
  }

  @Test
  @DisplayName(
      "A call is authorized by its peer, method and headers before its service hears of it")
  void callsAreAuthorized() throws Exception {
    BlockingQueue<CompletableFuture<Status>> decisions = new LinkedBlockingQueue<>();
    BlockingQueue<String> asked = new LinkedBlockingQueue<>();
    CallAuthorizer authorizer =
        (peer, method, headers) -> {
          asked.add(peer.peerId() + " " + method.getBareMethodName() + " " + headers.get(TOKEN));
          CompletableFuture<Status> decision = new CompletableFuture<>();
          decisions.add(decision);
          return decision;
        };
    Metadata token = new Metadata();
    token.put(TOKEN, "secret");
    Channel channel =
        ClientInterceptors.intercept(
            serve(builder().intercept(authorizer.asInterceptor())),
            MetadataUtils.newAttachHeadersInterceptor(token));

    ListenableFuture<String> allowed = call(channel);
    CompletableFuture<Status> first = decisions.poll(20, TimeUnit.SECONDS);
    assertThat(asked.poll()).isEqualTo(caller.peerId() + " Unary secret");
    assertThat(allowed.isDone()).isFalse();
    first.complete(Status.OK);
    assertThat(allowed.get(20, TimeUnit.SECONDS)).isEqualTo("x");

    ListenableFuture<String> denied = call(channel);
    decisions
        .poll(20, TimeUnit.SECONDS)
        .complete(Status.PERMISSION_DENIED.withDescription("not you"));
    assertThat(statusOf(denied).getDescription()).isEqualTo("not you");

    ListenableFuture<String> failed = call(channel);
    decisions.poll(20, TimeUnit.SECONDS).completeExceptionally(new SecurityException("no"));
    assertThat(statusOf(failed).getCode()).isEqualTo(Status.Code.PERMISSION_DENIED);

    ListenableFuture<String> cancelled = call(channel);
    CompletableFuture<Status> last = decisions.poll(20, TimeUnit.SECONDS);
    cancelled.cancel(true); // Guava's futures end their call only so.
    eventually("the lookup was cancelled", last::isCancelled);
  }

  @Test
  @DisplayName("A stream of messages that waited to be authorized is heard in order")
  void heldCallIsHeardInOrder() throws Exception {
    CompletableFuture<Status> decision = new CompletableFuture<>();
    CallAuthorizer authorizer = (peer, method, headers) -> decision;
    ManagedChannel channel = serve(builder().intercept(authorizer.asInterceptor()));
    Echo.Responses responses = new Echo.Responses();
    StreamObserver<String> call = Echo.bidi(channel, responses);
    for (int i = 0; i < 100; i++) {
      call.onNext(Integer.toString(i));
    }
    call.onCompleted();
    decision.complete(Status.OK);
    for (int i = 0; i < 100; i++) {
      assertThat(responses.next()).isEqualTo(Integer.toString(i));
    }
    responses.awaitEnd();
  }

  @Test
  @DisplayName("A held call whose service throws after its answer still hears of its end")
  void heldCallWhoseServiceThrowsAfterItsAnswer() throws Exception {
    CompletableFuture<Status> decision = new CompletableFuture<>();
    CompletableFuture<Void> completed = new CompletableFuture<>();
    CompletableFuture<Void> asked = new CompletableFuture<>();
    CallAuthorizer authorizer =
        (peer, method, headers) -> {
          asked.complete(null);
          return decision;
        };
    ServerServiceDefinition throwing =
        ServerServiceDefinition.builder(Echo.NAME)
            .addMethod(
                Echo.UNARY,
                (ServerCall<String, String> call, Metadata headers) -> {
                  call.request(2);
                  return new ServerCall.Listener<String>() {
                    @Override
                    public void onReady() {
                      call.sendHeaders(new Metadata());
                      call.sendMessage("answer");
                      call.close(Status.OK, new Metadata());
                      throw new IllegalStateException("after the answer");
                    }

                    @Override
                    public void onComplete() {
                      completed.complete(null);
                    }
                  };
                })
            .build();
    ManagedChannel channel =
        serve(
            PeerServerBuilder.forProtocol(listener, Wire.PROTOCOL)
                .addService(throwing)
                .intercept(authorizer.asInterceptor()));
    ListenableFuture<String> call = call(channel);
    await(asked);
    decision.complete(Status.OK);
    assertThat(call.get(20, TimeUnit.SECONDS)).isEqualTo("answer");
    completed.get(20, TimeUnit.SECONDS);
  }

  @Test
  @DisplayName("A peer has no more calls at a time than its limit, and as many again once they end")
  void callsOfAPeerAreLimited() throws Exception {
    ManagedChannel channel = serve(builder().intercept(new PeerCallLimit(2)));
    for (int round = 0; round < 3; round++) {
      Echo.Responses first = new Echo.Responses();
      Echo.Responses second = new Echo.Responses();
      StreamObserver<String> one = Echo.bidi(channel, first);
      StreamObserver<String> two = Echo.bidi(channel, second);
      one.onNext("1");
      two.onNext("2");
      assertThat(first.next() + second.next()).isEqualTo("12");
      Status third = Echo.failure(channel);
      assertThat(third.getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
      assertThat(third.getDescription()).contains(caller.peerId().toString(), "2 calls");
      one.onCompleted();
      two.onError(new IllegalStateException("given up"));
      first.awaitEnd();
      // The server hears of a cancellation a moment after the caller.
      eventually("its calls are over", () -> !isRefused(channel));
    }
  }

  /** Whether a call is refused. */
  private static boolean isRefused(Channel channel) {
    try {
      Echo.unary(channel, "x");
      return false;
    } catch (io.grpc.StatusRuntimeException e) {
      return true;
    }
  }
}
