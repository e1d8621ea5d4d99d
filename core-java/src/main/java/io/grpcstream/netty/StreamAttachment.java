package io.grpcstream.netty;

import io.grpc.Attributes;
import io.grpcstream.libp2p.Stream;
import io.netty.channel.Channel;
import io.netty.util.AttributeKey;

/** What ties a stream's channel to gRPC: at most one gRPC transport, on the stream's own loop. */
public final class StreamAttachment {
  /** The stream a gRPC transport runs on, among the transport's attributes. */
  public static final Attributes.Key<Stream> STREAM = Attributes.Key.create("io.grpcstream.stream");

  /**
   * Netty's keys are equal by name: another copy of this library, in another class loader, has the
   * same one. So a channel that it has claimed is seen to be claimed, though not by whose stream.
   */
  private static final AttributeKey<Object> ATTACHED =
      AttributeKey.valueOf(StreamAttachment.class, "ATTACHED");

  private StreamAttachment() {}

  /**
   * Reserves {@code stream} for one gRPC transport.
   *
   * @throws IllegalStateException if it has one already
   */
  static void claim(Stream stream) {
    if (stream.channel().attr(ATTACHED).setIfAbsent(stream) != null) {
      throw new IllegalStateException(
          describe(stream) + " carries gRPC already: a stream can be served or wrapped only once");
    }
  }

  /** The stream that was claimed on {@code channel}. */
  static Stream of(Channel channel) {
    return (Stream) channel.attr(ATTACHED).get();
  }

  /** Names a stream in messages: its protocol, the other peer, and where that peer is. */
  public static String describe(Stream stream) {
    return "stream "
        + stream.protocol()
        + (stream.isInitiator() ? " to peer " : " from peer ")
        + stream.remotePeer()
        + " at "
        + stream.remoteAddress();
  }
}
