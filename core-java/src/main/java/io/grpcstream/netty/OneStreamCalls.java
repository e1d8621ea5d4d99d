package io.grpcstream.netty;

import io.grpc.Status;
import io.netty.channel.EventLoop;
import org.jspecify.annotations.Nullable;

/** The calls of a channel over one stream: all of them are on that stream, and end with it. */
final class OneStreamCalls extends CallTracker {
  private final StreamCalls stream;

  /** To be told of the end of the stream, or else it holds on to gRPC's executor. */
  OneStreamCalls(StreamEnd end) {
    stream = StreamCalls.on(end);
  }

  StreamEnd end() {
    return stream.end();
  }

  @Override
  StreamCalls onlyStream() {
    return stream;
  }

  @Override
  @Nullable Status refusal() {
    return end().status();
  }

  @Override
  Status overStatus() {
    return end().record(StreamEnd.LOST);
  }

  @Override
  boolean isOnEventLoop() {
    return end().stream().channel().eventLoop().inEventLoop();
  }

  @Override
  String target() {
    return StreamAttachment.describe(end().stream());
  }

  /** Nothing: calls do not wait here, as there is the stream or no hope. */
  @Override
  String whyWaiting() {
    return "";
  }

  /** Gives up the messages that nobody asks for: calls that are over end for their users. */
  void drop() {
    stream.drop();
  }

  /** No call is added any more. To be called on the event loop of the stream, once. */
  void streamEnded(EventLoop loop) {
    stream.streamEnded(loop);
    over();
  }
}
