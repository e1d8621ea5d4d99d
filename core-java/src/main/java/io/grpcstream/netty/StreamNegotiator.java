package io.grpcstream.netty;

import io.grpc.Attributes;
import io.grpc.Grpc;
import io.grpc.InternalChannelz;
import io.grpc.SecurityLevel;
import io.grpc.Status;
import io.grpc.internal.GrpcAttributes;
import io.grpc.netty.GrpcHttp2ConnectionHandler;
import io.grpc.netty.InternalProtocolNegotiationEvent;
import io.grpc.netty.InternalProtocolNegotiator;
import io.grpc.netty.InternalProtocolNegotiators;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.libraries.Libraries;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.util.AsciiString;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiConsumer;
import java.util.function.Function;

/**
 * Negotiates nothing, as libp2p has done so already: tells gRPC who the peer is, and that the
 * connection is private and authentic. Serves both sides.
 */
final class StreamNegotiator implements InternalProtocolNegotiator.ProtocolNegotiator {
  private static final AsciiString SCHEME = AsciiString.of("http");

  private final Function<Stream, Attributes> attributes;
  private final BiConsumer<Stream, GrpcHttp2ConnectionHandler> guard;
  private final AtomicBoolean said = new AtomicBoolean();

  /**
   * A negotiator.
   *
   * @param attributes what transports over a stream shall have among their attributes
   * @param guard given gRPC's handler for a stream just before that takes its place
   */
  StreamNegotiator(
      Function<Stream, Attributes> attributes,
      BiConsumer<Stream, GrpcHttp2ConnectionHandler> guard) {
    this.attributes = attributes;
    this.guard = guard;
  }

  /** HTTP/2 with prior knowledge; the encryption is a layer below. */
  @Override
  public AsciiString scheme() {
    return SCHEME;
  }

  @Override
  public ChannelHandler newHandler(GrpcHttp2ConnectionHandler grpcHandler) {
    return new Handler(grpcHandler);
  }

  @Override
  public void close() {}

  private final class Handler extends InternalProtocolNegotiators.ProtocolNegotiationHandler {
    private final GrpcHttp2ConnectionHandler grpc;

    Handler(GrpcHttp2ConnectionHandler grpc) {
      super(
          InternalProtocolNegotiators.grpcNegotiationHandler(grpc),
          "libp2p",
          grpc.getNegotiationLogger());
      this.grpc = grpc;
    }

    /**
     * Goes ahead at once. gRPC's own starting event comes from the head of the pipeline, and so
     * behind bytes that a stream holds until it has a user: they would find no HTTP/2 handler yet.
     */
    @Override
    protected void handlerAdded0(ChannelHandlerContext ctx) throws Exception {
      TransportEnd.watch(StreamAttachment.of(ctx.channel()), grpc.connection());
      if (ctx.channel().isActive()) {
        userEventTriggered(ctx, InternalProtocolNegotiationEvent.getDefault());
      }
    }

    @Override
    protected void protocolNegotiationEventTriggered(ChannelHandlerContext ctx) {
      try {
        tellOfPeer(ctx);
      } catch (LinkageError e) {
        // gRPC would close the stream without a word.
        if (said.compareAndSet(false, true)) {
          UserLog.LOG.warn("gRPC over streams does not work: {}", Libraries.describe(e), e);
        }
        throw e;
      }
    }

    private void tellOfPeer(ChannelHandlerContext ctx) {
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
      // What channelz shows: neither certificates nor cipher suites are TLS's own here. As a
      // socket's addresses it shows what grpc-netty takes from the Netty channel itself, which for
      // a stream are those of the connection below; so the peers that have proven themselves, as
      // the attributes of calls have them, stand here.
      String peers =
          "libp2p, peer %s, local %s"
              .formatted(
                  negotiated.get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR),
                  negotiated.get(Grpc.TRANSPORT_ATTR_LOCAL_ADDR));
      InternalChannelz.Security security =
          new InternalChannelz.Security(new InternalChannelz.OtherSecurity(peers, null));
      replaceProtocolNegotiationEvent(
          InternalProtocolNegotiationEvent.withSecurity(
              InternalProtocolNegotiationEvent.withAttributes(
                  getProtocolNegotiationEvent(), negotiated),
              security));
      guard.accept(stream, grpc);
      fireProtocolNegotiationEvent(ctx); // On return, gRPC's handler is in the pipeline.
      grpc.encoder().lifecycleManager(new QuietLifecycle(grpc, stream));
    }
  }
}
