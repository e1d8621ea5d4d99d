package io.grpcstream;

import io.grpc.ManagedChannel;
import io.grpcstream.libp2p.Stream;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** The channel over a stream that is being opened. */
final class Dialled {
  private Dialled() {}

  /** Fails with a status; given up by cancelling its future, and then keeps no stream open. */
  static CompletionStage<ManagedChannel> over(CompletionStage<Stream> opened) {
    CompletableFuture<ManagedChannel> dialled = new CompletableFuture<>();
    opened.whenComplete(
        (stream, failure) -> {
          if (failure != null) {
            dialled.completeExceptionally(FailureTable.statusOf(failure).asRuntimeException());
          } else if (dialled.isDone()) {
            stream.reset();
          } else {
            ManagedChannel channel = GrpcStream.wrapClient(stream);
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
