package io.grpcstream;

import static io.grpcstream.Hosts.await;
import static io.grpcstream.Hosts.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.Stream;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A peer that lives, answers pings and reads nothing: whatever is handed over and ended, nothing is
 * held by it for ever, at either end.
 */
@Timeout(120)
class PeerThatReadsNothingTest {
  private static final Duration HOUR = Duration.ofHours(1);
  private static final int PAST_THE_WINDOW = 600_000;

  private final Hosts hosts = new Hosts();
  private final Host server = hosts.start(Hosts.TCP);
  private final Host client = hosts.start(builder -> builder);
  private final GrpcStream grpc = GrpcStream.builder().addService(Echo.service()).build().serve();

  @AfterEach
  void close() {
    grpc.shutdown(Duration.ZERO);
    hosts.close();
  }

  private void nothingIsHeld() {
    for (Host host : List.of(server, client)) {
      eventually(
          () -> "no stream is held, has " + host.stats(),
          () -> host.stats().inboundStreams() + host.stats().outboundStreams() == 0);
    }
  }

  @Test
  @DisplayName("Streams that close are released with what was written")
  void closedStreamsReleaseWhatWasWritten() {
    List<Stream> accepted = new ArrayList<>();
    List<Stream> opened = new ArrayList<>();
    List<CompletableFuture<Boolean>> writes = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      opened.add(
          Hosts.open(
              client,
              server,
              stream -> {
                stream.channel().config().setAutoRead(false);
                accepted.add(stream);
              }));
    }
    for (Stream stream : opened) {
      CompletableFuture<Boolean> written = new CompletableFuture<>();
      stream
          .channel()
          .writeAndFlush(Unpooled.wrappedBuffer(new byte[PAST_THE_WINDOW]))
          .addListener(write -> written.complete(write.isSuccess()));
      writes.add(written);
      stream.close();
    }
    opened.forEach(stream -> await(stream.closed()));
    writes.forEach(write -> assertThat(await(write)).isFalse());
    accepted.forEach(stream -> await(stream.closed()));
    nothingIsHeld();
  }

  @Test
  @DisplayName("A channel that is shut down ends without calls in flight")
  void channelShutDownWithoutCalls() {
    CompletableFuture<Stream> accepted = new CompletableFuture<>();
    Stream stream =
        Hosts.open(
            client,
            server,
            inbound -> {
              grpc.handler().onStream(inbound);
              accepted.complete(inbound);
            });
    ManagedChannel channel = GrpcStream.wrapClient(stream);
    assertThat(Echo.unary(channel, "x")).isEqualTo("x");
    readNoMore(await(accepted));

    fill(channel, stream);
    channel.shutdown();

    eventually("the channel has ended", channel::isTerminated);
    nothingIsHeld();
  }

  @Test
  void hostsThatShutDownEndAlsoWithCallsCancelled() {
    CompletableFuture<Stream> accepted = new CompletableFuture<>();
    Stream stream =
        Hosts.open(
            client,
            server,
            inbound -> {
              grpc.handler().onStream(inbound);
              accepted.complete(inbound);
            });
    ManagedChannel channel = GrpcStream.wrapClient(stream);
    assertThat(Echo.unary(channel, "x")).isEqualTo("x");
    readNoMore(await(accepted));
    fill(channel, stream);

    List<CompletionStage<Void>> ends =
        List.of(client.shutdown(HOUR), server.shutdown(HOUR), grpc.shutdown(HOUR));
    ends.forEach(end -> eventually("ended", end.toCompletableFuture()::isDone));
    eventually("the channel has ended", channel::isTerminated);
  }

  /** Calls whose headers fill the window, cancelled one after another. */
  private static void fill(ManagedChannel channel, Stream stream) {
    Metadata headers = new Metadata();
    headers.put(Metadata.Key.of("filler", Metadata.ASCII_STRING_MARSHALLER), "x".repeat(7_000));
    while (stream.channel().isWritable()) {
      ClientCall<String, String> call = channel.newCall(Echo.UNARY, CallOptions.DEFAULT);
      CompletableFuture<Void> over = new CompletableFuture<>();
      call.start(
          new ClientCall.Listener<>() {
            @Override
            public void onClose(Status status, Metadata trailers) {
              over.complete(null);
            }
          },
          headers);
      call.halfClose();
      call.cancel("not wanted", null);
      await(over);
    }
  }

  /** From now on nothing of the stream is read, whoever asks for it. */
  private static void readNoMore(Stream stream) {
    Channel channel = stream.channel();
    channel
        .eventLoop()
        .submit(
            () ->
                channel
                    .pipeline()
                    .addFirst(
                        new ChannelOutboundHandlerAdapter() {
                          @Override
                          public void read(ChannelHandlerContext ctx) {
                            // Kept.
                          }
                        }))
        .syncUninterruptibly();
  }
}
