package io.grpcstream.netty;

import com.google.protobuf.MessageLite;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.grpcstream.libp2p.Stream;
import io.netty.channel.EventLoop;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets what a service does with a call have no effect once the call's event loop has ended with its
 * host, as with any call that is over: grpc-netty would throw into the service, which hears of the
 * end only when its executor gets to it.
 *
 * <p>gRPC sends the only message of a unary answer with the call's end. Here it waits for that as
 * it is, not in a buffer, which nobody would release if the loop, or the service, ended before. Not
 * so a message that its service may change or close meanwhile, such as an array or a stream.
 */
abstract class LateAnswers<Q, R> extends SimpleForwardingServerCall<Q, R> {
  private static final Logger log = LoggerFactory.getLogger(LateAnswers.class);

  final Stream stream;

  /** The only message, until the end of the call; null if there is none that waits. */
  private @Nullable R held;

  private boolean mayHold;

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
    mayHold = getMethodDescriptor().getType().serverSendsOneMessage();
  }

  @Override
  public void sendMessage(R message) {
    if (mayHold && isUnchangeable(message)) {
      mayHold = false;
      held = message;
      return;
    }
    sendHeld();
    whileTheLoopLasts(() -> super.sendMessage(message));
  }

  @Override
  public void close(Status status, Metadata trailers) {
    mayHold = false;
    sendHeld();
    whileTheLoopLasts(() -> super.close(status, trailers));
  }

  private static boolean isUnchangeable(Object message) {
    return message instanceof MessageLite || message instanceof String;
  }

  private void sendHeld() {
    R message = held;
    if (message != null) {
      held = null;
      whileTheLoopLasts(() -> super.sendMessage(message));
    }
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
