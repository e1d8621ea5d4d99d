package io.grpcstream;

import io.grpc.Attributes;
import io.grpc.Context;
import io.grpc.Grpc;
import io.grpc.ServerCall;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.netty.StreamAttachment;
import java.util.Objects;

/**
 * Who is calling: the peer at the other end of the stream, in the {@link Context} of every call of
 * all four kinds. The peer id is the one that the libp2p handshake proved; nothing a caller sends
 * can change it.
 */
public final class PeerContext {
  /** The key in {@link Context}; it is set in all that runs in the context of a served call. */
  public static final Context.Key<PeerContext> KEY = Context.key("io.grpcstream.peer");

  /** The same among the attributes of a transport, for interceptors. */
  static final Attributes.Key<PeerContext> TRANSPORT_ATTR =
      Attributes.Key.create("io.grpcstream.peer");

  private final Stream stream;

  private PeerContext(Stream stream) {
    this.stream = stream;
  }

  /**
   * The peer whose call the current {@link Context} belongs to.
   *
   * @throws IllegalStateException outside a call, or in a call that did not come over a stream
   */
  public static PeerContext current() {
    PeerContext current = KEY.get();
    if (current == null) {
      throw new IllegalStateException(
          "no peer: this is not the context of a gRPC call served over a libp2p stream (on another"
              + " thread, carry the call's Context along, e.g. by Context.current().wrap)");
    }
    return current;
  }

  /**
   * The peer whose call {@code call} is.
   *
   * @throws IllegalStateException for a call that did not come over a stream
   */
  public static PeerContext of(ServerCall<?, ?> call) {
    Objects.requireNonNull(call, "the call is null");
    PeerContext peer = call.getAttributes().get(TRANSPORT_ATTR);
    if (peer == null) {
      throw new IllegalStateException(
          "no peer: "
              + call.getMethodDescriptor().getFullMethodName()
              + " is not called over a libp2p stream");
    }
    return peer;
  }

  /** What transports over {@code stream} have among their attributes. */
  static Attributes attributesOf(Stream stream) {
    return Attributes.newBuilder()
        .set(
            Grpc.TRANSPORT_ATTR_REMOTE_ADDR,
            new PeerAddress(stream.remotePeer(), stream.remoteAddress()))
        .set(
            Grpc.TRANSPORT_ATTR_LOCAL_ADDR,
            new PeerAddress(stream.localPeer(), stream.localAddress()))
        .set(TRANSPORT_ATTR, new PeerContext(stream))
        .build();
  }

  /** The id that the calling peer has proven. */
  public PeerId peerId() {
    return stream.remotePeer();
  }

  /** The calling peer's address, as its connection knows it. */
  public Multiaddr remoteAddress() {
    return stream.remoteAddress();
  }

  /** The protocol id of the stream that the call came over. */
  public String protocol() {
    return stream.protocol();
  }

  /** The stream that the call came over; see {@link GrpcStream#TRANSPORT_ATTR_STREAM}. */
  public Stream stream() {
    return stream;
  }

  @Override
  public String toString() {
    return StreamAttachment.describe(stream);
  }
}
