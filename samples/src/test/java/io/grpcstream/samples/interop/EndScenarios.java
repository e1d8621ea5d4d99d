package io.grpcstream.samples.interop;

import static io.grpcstream.samples.interop.KindScenarios.endChat;
import static io.grpcstream.samples.interop.KindScenarios.greetOnce;
import static io.grpcstream.samples.interop.KindScenarios.name;
import static io.grpcstream.samples.interop.KindScenarios.unary;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.grpc.Status.Code;
import io.grpc.StatusException;
import io.grpc.stub.BlockingClientCall;
import io.grpcstream.greeter.GreeterGrpc.GreeterBlockingV2Stub;
import io.grpcstream.greeter.HelloReply;
import io.grpcstream.greeter.HelloRequest;
import io.grpcstream.interop.StopRequest;
import io.grpcstream.libp2p.Connection;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.PeerIdMismatchException;
import io.grpcstream.libp2p.crypto.PrivateKey;

/** Servers that stop, connections that are lost, and peers that are not who they should be. */
final class EndScenarios {
  private EndScenarios() {}

  /** Stops the server during a call, which may finish; the stream takes no new ones. */
  static String gracefulStop(Peer peer) throws Exception {
    return withChat(
        peer,
        (greeter, chat) -> {
          stop(peer, true);
          awaitRefusal(greeter);
          greetOnce(chat, "Grace");
          endChat(chat);
          unary(peer);
          return "the call that ran finished, the next was refused, a new stream is served";
        });
  }

  /** Stops the server during a call, and the call with it. */
  static String hardStop(Peer peer) throws Exception {
    return withChat(
        peer,
        (greeter, chat) -> {
          try {
            stop(peer, false);
          } catch (StatusException e) {
            assertThat(e.getStatus().getCode()).isEqualTo(Code.UNAVAILABLE); // Cut off, too.
          }
          Expect.code(Code.UNAVAILABLE, chat::read);
          awaitRefusal(greeter);
          unary(peer);
          return "the call that ran ended, a new stream is served";
        });
  }

  /** Loses the connection during a call, and dials again. */
  static String reconnect(Peer peer) throws Exception {
    return withChat(
        peer,
        (greeter, chat) -> {
          Connection lost = peer.connect();
          lost.close();
          Expect.code(Code.UNAVAILABLE, chat::read);
          awaitRefusal(greeter);
          unary(peer);
          Peer.await(lost.closed());
          assertThat(peer.connections()).hasSize(1).doesNotContain(lost);
          return "the call that ran ended, a new connection is served";
        });
  }

  /** Dials the peer's address, but expects another peer there. */
  static String identity(Peer peer) throws Exception {
    PeerId other = PeerId.of(PrivateKey.generateEd25519().publicKey());
    Throwable failure =
        catchThrowable(() -> Peer.await(peer.host().connect(peer.address().withPeerId(other))));
    assertThat(failure).hasRootCauseInstanceOf(PeerIdMismatchException.class);
    assertThat(peer.host().connections(other)).isEmpty();
    return "refused: " + failure.getCause().getMessage();
  }

  /** Runs with a Chat that has been answered once, on a stream of its own. */
  private static String withChat(Peer peer, Use use) throws Exception {
    return peer.withGreeter(
        greeter -> {
          BlockingClientCall<HelloRequest, HelloReply> chat = greeter.chat();
          greetOnce(chat, "Ada");
          return use.with(greeter, chat);
        });
  }

  private static void stop(Peer peer, boolean graceful) throws Exception {
    peer.withInterop(
        interop -> interop.stop(StopRequest.newBuilder().setGraceful(graceful).build()).toString());
  }

  /** Calls until one fails with UNAVAILABLE, as all do once the news has arrived. */
  private static void awaitRefusal(GreeterBlockingV2Stub greeter) throws Exception {
    Expect.eventually(
        () -> {
          try {
            greeter.sayHello(name("Ada"));
            return false;
          } catch (StatusException e) {
            assertThat(e.getStatus().getCode()).as(e.toString()).isEqualTo(Code.UNAVAILABLE);
            return true;
          }
        });
  }

  private interface Use {
    String with(GreeterBlockingV2Stub greeter, BlockingClientCall<HelloRequest, HelloReply> chat)
        throws Exception;
  }
}
