package io.grpcstream.netty;

import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.util.StageFuture;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/** The channel over a stream that is being opened. */
public final class ChannelDial {
  private ChannelDial() {}

  /**
   * Fails with a status; given up by cancelling its future, and then keeps no stream open.
   *
   * @param wrap makes the channel over the stream
   * @param statusOf what a failure to open it is to a gRPC user
   */
  public static CompletionStage<ManagedChannel> over(
      CompletionStage<Stream> opened,
      Function<Stream, ManagedChannel> wrap,
      Function<Throwable, Status> statusOf) {
    CompletableFuture<ManagedChannel> dialled = new StageFuture<>();
    opened.whenComplete(
        (stream, failure) -> {
          if (failure != null) {
            dialled.completeExceptionally(statusOf.apply(failure).asRuntimeException());
          } else if (dialled.isDone()) {
            stream.reset();
          } else {
            ManagedChannel channel = wrap.apply(stream);
            if (!dialled.complete(channel)) {
              channel.shutdownNow();
            }
          }
        });
    dialled.whenComplete(
        (channel, failure) -> {
          if (failure != null) {
            opened.toCompletableFuture().cancel(false);
          }
        });
    return dialled;
  }
}
