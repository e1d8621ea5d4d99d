package io.grpcstream.netty;

import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.grpcstream.libp2p.Stream;
import io.netty.channel.EventLoop;
import java.util.concurrent.RejectedExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets what a service does with a call have no effect once the call's event loop has ended with its
 * host, as with any call that is over: grpc-netty would throw into the service, which hears of the
 * end only when its executor gets to it.
 */
abstract class LateAnswers<Q, R> extends SimpleForwardingServerCall<Q, R> {
  private static final Logger log = LoggerFactory.getLogger(LateAnswers.class);

  final Stream stream;

  LateAnswers(ServerCall<Q, R> call, Stream stream) {
    super(call);
    this.stream = stream;
  }

  @Override
  public void request(int messages) {
    whileTheLoopLasts(() -> super.request(messages));
  }

  @Override
  public void sendHeaders(Metadata headers) {
    whileTheLoopLasts(() -> super.sendHeaders(headers));
  }

  @Override
  public void sendMessage(R message) {
    whileTheLoopLasts(() -> super.sendMessage(message));
  }

  @Override
  public void close(Status status, Metadata trailers) {
    whileTheLoopLasts(() -> super.close(status, trailers));
  }

  private void whileTheLoopLasts(Runnable action) {
    EventLoop loop = stream.channel().eventLoop();
    if (loop.isShutdown()) { // A message would be written to a buffer that nobody releases.
      log.debug("{} ended with its event loop", StreamAttachment.describe(stream));
      return;
    }
    try {
      action.run();
    } catch (RejectedExecutionException e) {
      if (!loop.isShutdown()) {
        throw e; // Of somebody else's executor.
      }
      log.debug("{} ended with its event loop", StreamAttachment.describe(stream), e);
    }
  }
}
