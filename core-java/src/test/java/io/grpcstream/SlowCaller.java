package io.grpcstream;

import static java.util.concurrent.TimeUnit.SECONDS;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.internal.GrpcUtil;
import io.grpc.internal.SharedResourceHolder;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.Stream;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

/**
 * A caller that takes one message while many are there, sees its stream end by what is named, and
 * only then goes on. It tells what it got: the number of messages and the status.
 *
 * <p>It is run where nobody else uses gRPC, so that gRPC's shared executor ends a second after its
 * last user.
 */
public final class SlowCaller implements Function<String, String> {
  /** How the stream ends, or the call. */
  enum End {
    SERVER_HOST,
    SERVER_GRPC,
    SERVER_RESET,
    CONNECTION,
    CLIENT_RESET,
    RESET_THEN_CHANNEL_NOW,
    CHANNEL,
    CHANNEL_NOW,
    CLIENT_GRPC,
    CLIENT_GRPC_AT_ONCE,
    CLIENT_HOST
  }

  /** What the caller does when the stream has ended. */
  enum Then {
    READ,
    CANCEL,
    CANCEL_CONTEXT,
    WAIT
  }

  static final int MESSAGES = 300;

  private final CompletableFuture<Stream> served = new CompletableFuture<>();
  private final AtomicInteger received = new AtomicInteger();
  private final CountDownLatch first = new CountDownLatch(1);
  private final CompletableFuture<Status> status = new CompletableFuture<>();

  /** Sends many messages at once, and goes on unless it is told to complete. */
  static ServerServiceDefinition burst() {
    return ServerServiceDefinition.builder(Echo.NAME)
        .addMethod(
            Echo.SERVER_STREAM,
            ServerCalls.asyncServerStreamingCall(
                (String request, StreamObserver<String> responses) -> {
                  for (int i = 0; i < MESSAGES; i++) {
                    responses.onNext(request);
                  }
                  if (request.equals("complete")) {
                    responses.onCompleted();
                  }
                }))
        .addMethod(
            Echo.UNARY,
            ServerCalls.asyncUnaryCall(
                (String request, StreamObserver<String> responses) -> {
                  responses.onNext(request);
                  responses.onCompleted();
                }))
        .build();
  }

  @Override
  public String apply(String input) {
    String[] words = input.split(" ");
    try (Hosts hosts = new Hosts()) {
      return run(
          hosts,
          End.valueOf(words[0]),
          Then.valueOf(words[1]),
          words[2].equals("deadline"),
          words.length > 3,
          words.length < 5);
    } catch (Exception e) {
      throw new AssertionError(input + " failed", e);
    }
  }

  /**
   * Runs one.
   *
   * @param toPeer whether by a channel to the peer, which is shut down once its stream has ended,
   *     in place of one over a stream
   * @param alone whether nobody else uses gRPC, whose executors are to last just as long as needed
   */
  private String run(
      Hosts hosts, End end, Then then, boolean deadline, boolean toPeer, boolean alone)
      throws Exception {
    GrpcStream server = GrpcStream.builder().addService(burst()).directExecutor().build().serve();
    Host serverHost = hosts.start(Hosts.MEMORY);
    Host clientHost = hosts.start(Hosts.MEMORY);
    serverHost.handle(
        Wire.PROTOCOL,
        accepted -> {
          served.complete(accepted);
          server.onStream(accepted);
        });
    GrpcStream client = GrpcStream.create();
    ManagedChannel channel;
    Stream stream;
    if (toPeer) {
      channel =
          PeerChannelBuilder.forAddress(clientHost, Hosts.address(serverHost), Wire.PROTOCOL)
              .build();
      Echo.unary(channel, "dial");
      stream = clientHost.connections().get(0).streams().get(0);
    } else {
      stream = Hosts.await(clientHost.newStream(Hosts.address(serverHost), Wire.PROTOCOL));
      channel = client.client(stream);
    }
    ExecutorService executor = shared(GrpcUtil.SHARED_CHANNEL_EXECUTOR);
    ExecutorService timer = shared(GrpcUtil.TIMER_SERVICE);

    CallOptions options =
        deadline
            ? CallOptions.DEFAULT.withDeadlineAfter(alone ? 4 : 2, SECONDS)
            : CallOptions.DEFAULT;
    Context.CancellableContext context = Context.ROOT.withCancellation();
    ClientCall<String, String> call =
        context.call(() -> channel.newCall(Echo.SERVER_STREAM, options));
    call.start(new Counting(), new Metadata());
    call.request(1);
    boolean inOrder = end == End.CHANNEL || end == End.CLIENT_GRPC || end == End.SERVER_GRPC;
    call.sendMessage(inOrder ? "complete" : "go on");
    call.halfClose();
    require(first.await(20, SECONDS), "no first message");
    Echo.unary(channel, "all before this has arrived");

    end(end, stream, channel, client, clientHost, server, serverHost);
    Hosts.await(stream.closed());
    if (toPeer) {
      channel.shutdown();
    }
    // A second after its last user it would end.
    if (alone && !status.isDone()) {
      boolean ended = executor.awaitTermination(1_500, TimeUnit.MILLISECONDS);
      require(!ended || status.isDone(), "gRPC's executor has ended before the call");
    }
    switch (then) {
      case READ -> call.request(2 * MESSAGES);
      case CANCEL -> call.cancel("enough", null);
      case CANCEL_CONTEXT -> context.cancel(new IllegalStateException("enough"));
      case WAIT -> {}
    }
    Status got = status.get(20, SECONDS);
    if (alone && end != End.CLIENT_HOST && end != End.SERVER_HOST) {
      require(executor.awaitTermination(20, SECONDS), "gRPC's executor is still held");
      require(timer.awaitTermination(20, SECONDS), "gRPC's timer is still held");
    }
    return received + " " + got.getCode() + " " + got.getDescription();
  }

  private static ExecutorService shared(
      SharedResourceHolder.Resource<? extends Executor> resource) {
    Executor executor = SharedResourceHolder.get(resource);
    release(resource, executor);
    return (ExecutorService) executor;
  }

  @SuppressWarnings("unchecked")
  private static <T> void release(SharedResourceHolder.Resource<T> resource, Object instance) {
    SharedResourceHolder.release(resource, (T) instance);
  }

  private void end(
      End end,
      Stream stream,
      ManagedChannel channel,
      GrpcStream client,
      Host clientHost,
      GrpcStream server,
      Host serverHost)
      throws Exception {
    switch (end) {
      case SERVER_HOST -> Hosts.await(serverHost.shutdown(Duration.ZERO));
      case SERVER_GRPC -> Hosts.await(server.shutdown(Duration.ofSeconds(5)));
      case SERVER_RESET -> served.get(10, SECONDS).reset();
      case CONNECTION -> stream.channel().parent().close();
      case CLIENT_RESET -> stream.reset();
      case RESET_THEN_CHANNEL_NOW -> {
        served.get(10, SECONDS).reset();
        Hosts.await(stream.closed());
        Echo.unary(channel, "gRPC has left the stream behind");
        channel.shutdownNow();
      }
      case CHANNEL -> channel.shutdown();
      case CHANNEL_NOW -> channel.shutdownNow();
      case CLIENT_GRPC -> Hosts.await(client.shutdown(Duration.ofSeconds(5)));
      case CLIENT_GRPC_AT_ONCE -> Hosts.await(client.shutdown(Duration.ZERO));
      case CLIENT_HOST -> Hosts.await(clientHost.shutdown(Duration.ZERO));
    }
  }

  private static void require(boolean holds, String otherwise) {
    if (!holds) {
      throw new AssertionError(otherwise);
    }
  }

  private final class Counting extends ClientCall.Listener<String> {
    @Override
    public void onMessage(String message) {
      received.incrementAndGet();
      first.countDown();
    }

    @Override
    public void onClose(Status end, Metadata trailers) {
      status.complete(end);
    }
  }
}
