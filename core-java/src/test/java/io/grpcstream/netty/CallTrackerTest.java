package io.grpcstream.netty;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ClientStreamTracer;
import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.crypto.PrivateKey;
import io.netty.channel.DefaultEventLoop;
import io.netty.channel.EventLoop;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Calls whose end comes at an odd moment. */
class CallTrackerTest {
  private static final PeerId PEER = PeerId.of(PrivateKey.generateEd25519().publicKey());

  /** In place of the channel's own event loop; null for that. */
  private @Nullable EventLoop loop;

  private final EmbeddedChannel channel =
      new EmbeddedChannel() {
        @Override
        public EventLoop eventLoop() {
          EventLoop other = loop;
          return other == null ? super.eventLoop() : other;
        }
      };
  private final OneStreamCalls calls =
      new OneStreamCalls(
          new StreamEnd(
              Stream.over(channel, PEER, PEER, Multiaddr.parse("/memory/1"), "/test/1.0.0", true)));

  @Test
  @DisplayName("A call that is dropped while it starts is dropped thereafter")
  void callDroppedWhileItStarts() {
    DroppedInStart call = new DroppedInStart();
    new TrackedCall<>(calls, forgotten -> call, CallOptions.DEFAULT, new CallTrace())
        .start(new ClientCall.Listener<String>() {}, new Metadata());
    assertThat(call.requested).isEqualTo(Integer.MAX_VALUE);
    call.listener.onClose(Status.CANCELLED, new Metadata()); // Else it would keep gRPC's executor.
    channel.close();
    calls.streamEnded(channel.eventLoop());
  }

  @Test
  @DisplayName("A call whose answer is overtaken by the end of its channel names the peer")
  void answerOvertakenByTheChannelsEnd() {
    CallTrace trace = new CallTrace();
    List<Status> told = new ArrayList<>();
    Metadata answer = new Metadata();
    Started call = new Started();
    start(call, trace, told);
    ClientStreamTracer.StreamInfo attempt =
        ClientStreamTracer.StreamInfo.newBuilder().setCallOptions(CallOptions.DEFAULT).build();
    trace.newClientStreamTracer(attempt, new Metadata()).inboundTrailers(answer);
    Status cutOff = Status.UNAVAILABLE.withDescription("Channel shutdownNow invoked");
    call.listener.onClose(cutOff, new Metadata());
    assertThat(told.get(0).getDescription()).contains(PEER.toString(), "shutdownNow");

    // What the peer's service has said is passed on as it is.
    Started answered = new Started();
    start(answered, trace, told);
    Status busy = Status.UNAVAILABLE.withDescription("busy");
    answered.listener.onClose(busy, answer);
    assertThat(told.get(1)).isSameAs(busy);
    channel.close();
    calls.streamEnded(channel.eventLoop());
  }

  private void start(Started call, CallTrace trace, List<Status> told) {
    new TrackedCall<>(calls, forgotten -> call, CallOptions.DEFAULT, trace)
        .start(adding(told), new Metadata());
  }

  private static ClientCall.Listener<String> adding(List<Status> told) {
    return new ClientCall.Listener<>() {
      @Override
      public void onClose(Status status, Metadata trailers) {
        told.add(status);
      }
    };
  }

  @Test
  @DisplayName("A call that gRPC forgets, as the event loop has ended, ends all the same, and once")
  void callThatIsForgotten() {
    Started call = new Started();
    List<Status> told = new ArrayList<>();
    List<String> messages = new ArrayList<>();
    Consumer<RejectedExecutionException> forgotten = startForgettable(call, told, messages);
    loop = new DefaultEventLoop();
    loop.shutdownGracefully(0, 0, TimeUnit.SECONDS).syncUninterruptibly();
    forgotten.accept(new RejectedExecutionException("event executor terminated"));
    loop = null;
    call.listener.onMessage("of another hedge");
    call.listener.onClose(Status.OK, new Metadata());
    assertThat(told).hasSize(1);
    assertThat(told.get(0).getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(told.get(0).getDescription()).contains(PEER.toString());
    assertThat(messages).isEmpty();
    channel.close();
    calls.streamEnded(channel.eventLoop());
  }

  @Test
  @DisplayName("A call that is lost to an executor of the user's ends by itself: its stream stands")
  void callThatAnotherExecutorRejects() {
    Started call = new Started();
    List<Status> told = new ArrayList<>();
    Consumer<RejectedExecutionException> forgotten =
        startForgettable(call, told, new ArrayList<>());
    RejectedExecutionException failure = new RejectedExecutionException("full");
    forgotten.accept(failure);
    assertThat(call.cancelled).isSameAs(failure);
    call.listener.onClose(Status.CANCELLED, new Metadata());
    assertThat(told).hasSize(1);
    assertThat(told.get(0).getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(told.get(0).getCause()).isSameAs(failure);
    assertThat(calls.refusal()).isNull();
    channel.close();
    calls.streamEnded(channel.eventLoop());
  }

  @Test
  @DisplayName("The end of a call that gRPC forgets is told in the context of the call")
  void contextOfTheForgotten() {
    Context.Key<String> key = Context.key("test");
    List<String> seen = new ArrayList<>();
    Started call = new Started();
    List<Consumer<RejectedExecutionException>> forgotten = new ArrayList<>();
    Context.current()
        .withValue(key, "the call's")
        .run(
            () ->
                tracked(call, forgotten)
                    .start(
                        new ClientCall.Listener<String>() {
                          @Override
                          public void onClose(Status status, Metadata trailers) {
                            seen.add(key.get());
                          }
                        },
                        new Metadata()));
    forgotten.get(0).accept(new RejectedExecutionException("full"));
    assertThat(seen).containsExactly("the call's");
    channel.close();
    calls.streamEnded(channel.eventLoop());
  }

  private TrackedCall<String, String> tracked(
      Started call, List<Consumer<RejectedExecutionException>> forgotten) {
    return new TrackedCall<>(
        calls,
        onForgotten -> {
          forgotten.add(onForgotten);
          return call;
        },
        CallOptions.DEFAULT,
        new CallTrace());
  }

  private Consumer<RejectedExecutionException> startForgettable(
      Started call, List<Status> told, List<String> messages) {
    List<Consumer<RejectedExecutionException>> forgotten = new ArrayList<>();
    tracked(call, forgotten)
        .start(
            new ClientCall.Listener<String>() {
              @Override
              public void onMessage(String message) {
                messages.add(message);
              }

              @Override
              public void onClose(Status status, Metadata trailers) {
                told.add(status);
              }
            },
            new Metadata());
    return forgotten.get(0);
  }

  private static final class Started extends IdleCall {
    private Listener<String> listener;
    private @Nullable Throwable cancelled;

    @Override
    public void start(Listener<String> listener, Metadata headers) {
      this.listener = listener;
    }

    @Override
    public void cancel(@Nullable String message, @Nullable Throwable cause) {
      cancelled = cause;
    }
  }

  /** As gRPC's, it takes no requests before its start is done. */
  private final class DroppedInStart extends IdleCall {
    private Listener<String> listener;
    private boolean started;
    private int requested;

    @Override
    public void start(Listener<String> listener, Metadata headers) {
      this.listener = listener;
      calls.drop();
      started = true;
    }

    @Override
    public void request(int messages) {
      assertThat(started).isTrue();
      requested += messages;
    }
  }

  private abstract static class IdleCall extends ClientCall<String, String> {
    @Override
    public void request(int messages) {}

    @Override
    public void cancel(@Nullable String message, @Nullable Throwable cause) {}

    @Override
    public void halfClose() {}

    @Override
    public void sendMessage(String message) {}
  }
}
