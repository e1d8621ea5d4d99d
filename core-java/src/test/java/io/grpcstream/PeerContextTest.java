package io.grpcstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.PeerId;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class PeerContextTest {
  private final Hosts hosts = new Hosts();
  private final Host listener = hosts.start(Hosts.MEMORY);

  /** Answers each request with the peer id of the caller. */
  private final GrpcStream whoAmI =
      GrpcStream.builder()
          .addService(Echo.service(request -> PeerContext.current().peerId().toString()))
          .build()
          .serve();

  @AfterEach
  void close() {
    hosts.close();
    whoAmI.close();
  }

  private ManagedChannel dial(Host opener) {
    listener.handle(Wire.PROTOCOL, whoAmI.handler());
    return Hosts.await(GrpcStream.dial(opener, Hosts.address(listener), Wire.PROTOCOL));
  }

  @Test
  @DisplayName("Calls of all four kinds, from several peers at once, know their peer")
  void allFourKindsKnowTheirPeer() throws Exception {
    int peers = 4;
    ExecutorService threads = Executors.newFixedThreadPool(peers);
    try {
      List<Future<?>> calls = new ArrayList<>();
      for (int i = 0; i < peers; i++) {
        Host peer = hosts.start(Hosts.MEMORY);
        ManagedChannel channel = dial(peer);
        calls.add(
            threads.submit(
                () -> {
                  for (int round = 0; round < 20; round++) {
                    callAllKinds(channel, peer.peerId().toString());
                  }
                  return null;
                }));
      }
      for (Future<?> call : calls) {
        call.get(30, TimeUnit.SECONDS);
      }
    } finally {
      threads.shutdownNow();
    }
  }

  private static void callAllKinds(ManagedChannel channel, String self) throws Exception {
    assertThat(Echo.unary(channel, "?")).isEqualTo(self);
    assertThat(Echo.serverStream(channel, "?")).containsExactly(self, self, self);
    assertThat(Echo.clientStream(channel, "?", "?")).isEqualTo(self);
    Echo.Responses responses = new Echo.Responses();
    var call = Echo.bidi(channel, responses);
    call.onNext("?");
    assertThat(responses.next()).isEqualTo(self);
    call.onCompleted();
    responses.awaitEnd();
  }

  @Test
  void contextKnowsProtocolAndAddress() {
    AtomicReference<PeerContext> seen = new AtomicReference<>();
    GrpcStream grpc =
        GrpcStream.builder()
            .addService(
                Echo.service(
                    request -> {
                      seen.set(PeerContext.current());
                      return request;
                    }))
            .build()
            .serve();
    Host opener = hosts.start(Hosts.MEMORY);
    Echo.unary(GrpcStream.wrapClient(Hosts.open(opener, listener, grpc.handler())), "hello");

    assertThat(seen.get().peerId()).isEqualTo(opener.peerId());
    assertThat(seen.get().protocol()).isEqualTo(Wire.PROTOCOL);
    assertThat(seen.get().remoteAddress()).isEqualTo(seen.get().stream().remoteAddress());
    grpc.close();
  }

  @Test
  void interceptorsOfTheUserSeeThePeer() {
    AtomicReference<PeerId> seen = new AtomicReference<>();
    ServerInterceptor interceptor =
        new ServerInterceptor() {
          @Override
          public <Q, R> ServerCall.Listener<Q> interceptCall(
              ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
            seen.set(PeerContext.current().peerId());
            return next.startCall(call, headers);
          }
        };
    GrpcStream grpc =
        GrpcStream.builder()
            .addService(Echo.service())
            .intercept(interceptor)
            .configureServer(server -> server.intercept(interceptor))
            .build()
            .serve();
    Host opener = hosts.start(Hosts.MEMORY);
    Echo.unary(GrpcStream.wrapClient(Hosts.open(opener, listener, grpc.handler())), "hello");

    assertThat(seen.get()).isEqualTo(opener.peerId());
    grpc.close();
  }

  @Test
  void thereIsNoPeerOutsideACall() {
    assertThat(Context.current()).isSameAs(Context.ROOT);
    assertThatThrownBy(PeerContext::current)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("no peer");
  }

  @Test
  void eachPeerCallsTheOtherOverOneConnection() {
    Host opener = hosts.start(builder -> builder); // It does not listen: nobody could dial it.
    opener.handle(Wire.PROTOCOL, whoAmI.handler());
    ManagedChannel there = dial(opener);
    assertThat(Echo.unary(there, "?")).isEqualTo(opener.peerId().toString());

    ManagedChannel back = Hosts.await(GrpcStream.dial(listener, opener.peerId(), Wire.PROTOCOL));
    assertThat(Echo.unary(back, "?")).isEqualTo(listener.peerId().toString());
    assertThat(listener.connections()).hasSize(1);
    assertThat(opener.connections()).hasSize(1);
  }
}
