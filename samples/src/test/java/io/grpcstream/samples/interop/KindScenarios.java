package io.grpcstream.samples.interop;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.stub.BlockingClientCall;
import io.grpcstream.greeter.HelloReply;
import io.grpcstream.greeter.HelloRequest;
import io.grpcstream.libp2p.Connection;
import java.util.ArrayList;
import java.util.List;

/** A connection, and the four kinds of call on it. */
final class KindScenarios {
  private KindScenarios() {}

  static String connect(Peer peer) throws Exception {
    Connection connection = peer.connect();
    assertThat(connection.remotePeer()).isEqualTo(peer.id());
    assertThat(connection.security()).isEqualTo(peer.security());
    assertThat(connection.muxer()).isEqualTo("/yamux/1.0.0");
    return "%s security=%s muxer=%s"
        .formatted(connection.remotePeer(), connection.security(), connection.muxer());
  }

  static String unary(Peer peer) throws Exception {
    return peer.withGreeter(
        greeter -> {
          String reply = greeter.sayHello(name("Ada")).getMessage();
          assertThat(reply).isEqualTo("Hello, Ada!");
          return reply;
        });
  }

  static String serverStreaming(Peer peer) throws Exception {
    return peer.withGreeter(
        greeter -> {
          BlockingClientCall<?, HelloReply> call = greeter.sayHelloStream(name("Ada"));
          List<String> replies = new ArrayList<>();
          while (call.hasNext()) {
            replies.add(call.read().getMessage());
          }
          assertThat(replies).containsExactly("Hello, Ada!", "Bonjour, Ada!", "Hej, Ada!");
          return String.join(" ", replies);
        });
  }

  static String clientStreaming(Peer peer) throws Exception {
    return peer.withGreeter(
        greeter -> {
          BlockingClientCall<HelloRequest, HelloReply> call = greeter.sayHelloMany();
          call.write(name("Ada"));
          call.write(name("Grace"));
          call.halfClose();
          String reply = call.read().getMessage();
          assertThat(reply).isEqualTo("Hello, Ada and Grace!");
          assertEnded(call);
          return reply;
        });
  }

  static String bidiStreaming(Peer peer) throws Exception {
    return peer.withGreeter(
        greeter -> {
          BlockingClientCall<HelloRequest, HelloReply> chat = greeter.chat();
          greetOnce(chat, "Ada");
          greetOnce(chat, "Grace");
          endChat(chat);
          return "greeted Ada, then Grace";
        });
  }

  /** Sends a name on a Chat, and waits for the greeting. */
  static void greetOnce(BlockingClientCall<HelloRequest, HelloReply> chat, String name)
      throws Exception {
    chat.write(name(name));
    assertGreeted(chat, name);
  }

  /** Waits for the greeting of a name that was sent. */
  static void assertGreeted(BlockingClientCall<HelloRequest, HelloReply> chat, String name)
      throws Exception {
    HelloReply reply = chat.read();
    assertThat(reply).as("the greeting of %s", name).isNotNull();
    assertThat(reply.getMessage()).isEqualTo("Hello, " + name + "!");
  }

  /** Half-closes a Chat, and waits for its end. */
  static void endChat(BlockingClientCall<HelloRequest, HelloReply> chat) throws Exception {
    chat.halfClose();
    assertEnded(chat);
  }

  /** Checks that nothing more comes of a call, which ends with OK. */
  static void assertEnded(BlockingClientCall<?, ?> call) throws Exception {
    assertThat(call.read()).as("after the last message").isNull();
  }

  static HelloRequest name(String name) {
    return HelloRequest.newBuilder().setName(name).build();
  }
}
