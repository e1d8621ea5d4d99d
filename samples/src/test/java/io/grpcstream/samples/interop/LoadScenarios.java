package io.grpcstream.samples.interop;

import static io.grpcstream.samples.interop.CallScenarios.named;
import static io.grpcstream.samples.interop.CallScenarios.newName;
import static io.grpcstream.samples.interop.CallScenarios.watch;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import io.grpc.stub.BlockingClientCall;
import io.grpcstream.greeter.GreeterGrpc;
import io.grpcstream.greeter.GreeterGrpc.GreeterBlockingV2Stub;
import io.grpcstream.greeter.HelloReply;
import io.grpcstream.greeter.HelloRequest;
import io.grpcstream.interop.CallName;
import io.grpcstream.interop.DownloadRequest;
import io.grpcstream.interop.Payload;
import io.grpcstream.interop.Total;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicInteger;

/** Many calls, many streams, and readers that are slow. */
final class LoadScenarios {
  private static final int CALLS = 1000;
  private static final int STREAMS = 100;

  /** What slow readers are sent, 64 MiB: far above all windows between them and the sender. */
  private static final int SLOW_COUNT = 1024;

  private static final int SLOW_SIZE = 64 << 10;

  private LoadScenarios() {}

  static String concurrent(Peer peer) throws Exception {
    return peer.withGreeter(
        greeter -> {
          chatAtOnce(Collections.nCopies(CALLS, greeter));
          return CALLS + " calls at once on one stream";
        });
  }

  static String streams(Peer peer) throws Exception {
    List<ManagedChannel> channels = new ArrayList<>();
    try {
      while (channels.size() < STREAMS) {
        channels.add(peer.open());
      }
      chatAtOnce(channels.stream().map(GreeterGrpc::newBlockingV2Stub).toList());
      assertThat(peer.connections()).hasSize(1);
      return STREAMS + " streams at once on one connection";
    } finally {
      channels.forEach(ManagedChannel::shutdown);
    }
  }

  /** Has a call open with each greeter at once: none ends before all have been answered. */
  private static void chatAtOnce(List<GreeterBlockingV2Stub> greeters) throws Exception {
    List<BlockingClientCall<HelloRequest, HelloReply>> chats = new ArrayList<>();
    for (GreeterBlockingV2Stub greeter : greeters) {
      BlockingClientCall<HelloRequest, HelloReply> chat = greeter.chat();
      chat.write(KindScenarios.name(String.valueOf(chats.size())));
      chats.add(chat);
    }
    for (int i = 0; i < chats.size(); i++) {
      KindScenarios.assertGreeted(chats.get(i), String.valueOf(i));
    }
    for (BlockingClientCall<HelloRequest, HelloReply> chat : chats) {
      KindScenarios.endChat(chat);
    }
  }

  /** Reads one payload, and the others only once the server has had to stop sending. */
  static String slowCaller(Peer peer) throws Exception {
    DownloadRequest request =
        DownloadRequest.newBuilder().setCount(SLOW_COUNT).setSize(SLOW_SIZE).build();
    String name = newName();
    return peer.withInterop(
        interop ->
            peer.withInterop(
                control -> {
                  BlockingClientCall<?, Payload> call = named(interop, name).download(request);
                  assertThat(call.read()).isNotNull();
                  int ahead = Expect.standstill(() -> watch(control, name).getSent());
                  assertThat(ahead).isLessThan(SLOW_COUNT);
                  int read = 1;
                  for (Payload next = call.read(); next != null; next = call.read()) {
                    assertThat(next.getData().size()).isEqualTo(SLOW_SIZE);
                    read++;
                  }
                  assertThat(read).isEqualTo(SLOW_COUNT);
                  return "the server stopped at " + stoppedAt(ahead);
                }));
  }

  /** Sends to a server that reads on only once we have had to stop. */
  static String slowServer(Peer peer) throws Exception {
    String name = newName();
    AtomicInteger sent = new AtomicInteger();
    return peer.withInterop(
        interop ->
            peer.withInterop(
                control -> {
                  CompletableFuture<Total> upload =
                      CompletableFuture.supplyAsync(
                          () -> upload(named(interop, name).upload(), sent));
                  int ahead = Expect.standstill(sent::get);
                  assertThat(ahead).isLessThan(SLOW_COUNT);
                  control.resume(CallName.newBuilder().setName(name).build());
                  Total total = Peer.await(upload);
                  assertThat(total.getCount()).isEqualTo(SLOW_COUNT);
                  assertThat(total.getBytes()).isEqualTo((long) SLOW_COUNT * SLOW_SIZE);
                  return "the sender stopped at " + stoppedAt(ahead);
                }));
  }

  private static Total upload(BlockingClientCall<Payload, Total> call, AtomicInteger sent) {
    Payload payload =
        Payload.newBuilder().setData(ByteString.copyFrom(new byte[SLOW_SIZE])).build();
    try {
      while (sent.get() < SLOW_COUNT && call.write(payload)) {
        sent.incrementAndGet();
      }
      call.halfClose();
      return call.read();
    } catch (Exception e) {
      throw new CompletionException(e);
    }
  }

  private static String stoppedAt(int ahead) {
    return "%d KiB of %d".formatted(ahead * (SLOW_SIZE >> 10), SLOW_COUNT * (SLOW_SIZE >> 10));
  }
}
