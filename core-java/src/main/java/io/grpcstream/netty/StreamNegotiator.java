package io.grpcstream.netty;

import io.grpc.Attributes;
import io.grpc.SecurityLevel;
import io.grpc.Status;
import io.grpc.internal.GrpcAttributes;
import io.grpc.netty.GrpcHttp2ConnectionHandler;
import io.grpc.netty.InternalProtocolNegotiationEvent;
import io.grpc.netty.InternalProtocolNegotiator;
import io.grpc.netty.InternalProtocolNegotiators;
import io.grpcstream.libp2p.Stream;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.util.AsciiString;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Negotiates nothing, as libp2p has done so already: tells gRPC who the peer is, and that the
 * connection is private and authentic. Serves both sides.
 */
final class StreamNegotiator implements InternalProtocolNegotiator.ProtocolNegotiator {
  private static final AsciiString SCHEME = AsciiString.of("http");

  private final Function<Stream, Attributes> attributes;
  private final @Nullable BiConsumer<Stream, String> peerFaults;

  /**
   * A negotiator of clients.
   *
   * @param attributes what transports over a stream shall have among their attributes
   */
  StreamNegotiator(Function<Stream, Attributes> attributes) {
    this(attributes, null);
  }

  /**
   * A negotiator.
   *
   * @param attributes what transports over a stream shall have among their attributes
   * @param peerFaults for a server, told what its peers do wrong; null for a client
   */
  StreamNegotiator(
      Function<Stream, Attributes> attributes, @Nullable BiConsumer<Stream, String> peerFaults) {
    this.attributes = attributes;
    this.peerFaults = peerFaults;
  }

  /** HTTP/2 with prior knowledge; the encryption is a layer below. */
  @Override
  public AsciiString scheme() {
    return SCHEME;
  }

  @Override
  public ChannelHandler newHandler(GrpcHttp2ConnectionHandler grpcHandler) {
    return new Handler(
        InternalProtocolNegotiators.grpcNegotiationHandler(grpcHandler), grpcHandler);
  }

  @Override
  public void close() {}

  private final class Handler extends InternalProtocolNegotiators.ProtocolNegotiationHandler {
    private final GrpcHttp2ConnectionHandler grpc;

    Handler(ChannelHandler next, GrpcHttp2ConnectionHandler grpc) {
      super(next, "libp2p", grpc.getNegotiationLogger());
      this.grpc = grpc;
    }

    /**
     * Goes ahead at once. gRPC's own starting event comes from the head of the pipeline, and so
     * behind bytes that a stream holds until it has a user: they would find no HTTP/2 handler yet.
     */
    @Override
    protected void handlerAdded0(ChannelHandlerContext ctx) throws Exception {
      if (ctx.channel().isActive()) {
        userEventTriggered(ctx, InternalProtocolNegotiationEvent.getDefault());
      }
    }

    @Override
    protected void protocolNegotiationEventTriggered(ChannelHandlerContext ctx) {
      if (!ctx.channel().isActive()) {
        return; // The stream is over: the end of the channel, or connect(), reports it.
      }
      Stream stream = StreamAttachment.of(ctx.channel());
      Attributes negotiated =
          InternalProtocolNegotiationEvent.getAttributes(getProtocolNegotiationEvent()).toBuilder()
              .setAll(attributes.apply(stream))
              .set(StreamAttachment.STREAM, stream)
              .set(GrpcAttributes.ATTR_SECURITY_LEVEL, SecurityLevel.PRIVACY_AND_INTEGRITY)
              // The peer id is proven; what a call names as its authority is the caller's affair.
              .set(GrpcAttributes.ATTR_AUTHORITY_VERIFIER, authority -> Status.OK)
              .build();
      replaceProtocolNegotiationEvent(
          InternalProtocolNegotiationEvent.withAttributes(
              getProtocolNegotiationEvent(), negotiated));
      fireProtocolNegotiationEvent(ctx); // On return, gRPC's handler is in the pipeline.
      grpc.encoder().lifecycleManager(new EndedStreams(grpc, stream));
      if (peerFaults != null) {
        PeerFaults.watch(grpc, stream, peerFaults);
      }
    }
  }
}
