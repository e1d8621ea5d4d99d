package io.grpcstream;

import static io.grpcstream.Hosts.address;
import static io.grpcstream.Hosts.await;

import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.Stream;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersEncoder;
import io.netty.handler.codec.http2.Http2CodecUtil;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Headers;
import java.nio.charset.StandardCharsets;

/** HTTP/2 by hand on a stream that another host serves, and what came back on it. */
final class RawHttp2 {
  final Stream stream;
  private final StringBuilder sent = new StringBuilder();

  /** SETTINGS that were sent; the preface brings the first. */
  private int settings = 1;

  RawHttp2(Host opener, Host server) {
    this(await(opener.newStream(address(server), Wire.PROTOCOL)));
  }

  RawHttp2(Stream stream) {
    this.stream = stream;
    stream
        .channel()
        .pipeline()
        .addLast(
            new SimpleChannelInboundHandler<ByteBuf>() {
              @Override
              protected void channelRead0(ChannelHandlerContext ctx, ByteBuf message) {
                synchronized (sent) {
                  sent.append(message.toString(StandardCharsets.ISO_8859_1));
                }
              }

              @Override
              public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
                ctx.close();
              }
            });
    stream.channel().read();
  }

  void send(byte[]... parts) {
    stream.channel().writeAndFlush(Unpooled.wrappedBuffer(parts));
  }

  String sent() {
    synchronized (sent) {
      return sent.toString();
    }
  }

  /**
   * Waits for the acknowledgement of SETTINGS, and so for all that what was sent before has caused.
   * (Of pings gRPC takes only a few.)
   */
  void roundTrip() {
    send(frame(0, 4, 0, 0));
    settings++;
    Hosts.eventually(
        "the settings are acknowledged",
        () -> {
          int[] acknowledged = new int[1];
          eachFrame(
              (type, flags, streamId, payload) -> acknowledged[0] += type == 4 ? flags & 1 : 0);
          return acknowledged[0] >= settings;
        });
  }

  /** What the other side has granted on a call so far (RFC 9113, section 6.9). */
  long window(int ofStreamId) {
    long[] window = {65_535};
    eachFrame(
        (type, flags, streamId, payload) ->
            window[0] += type == 8 && streamId == ofStreamId ? number(payload, 0) : 0);
    return window[0];
  }

  private interface FrameVisitor {
    void visit(int type, int flags, int streamId, String payload);
  }

  private void eachFrame(FrameVisitor visitor) {
    String all = sent();
    for (int at = 0; at + 9 <= all.length(); ) {
      int length = number(all, at) >>> 8;
      if (at + 9 + length > all.length()) {
        return;
      }
      int flags = all.charAt(at + 4);
      String payload = all.substring(at + 9, at + 9 + length);
      visitor.visit(all.charAt(at + 3), flags, number(all, at + 5), payload);
      at += 9 + length;
    }
  }

  private static int number(String text, int at) {
    return text.charAt(at) << 24
        | text.charAt(at + 1) << 16
        | text.charAt(at + 2) << 8
        | text.charAt(at + 3);
  }

  /** Waits until the other side has ended the stream. */
  void ends() {
    await(stream.closed());
  }

  static byte[] preface() {
    byte[] preface = ByteBufUtil.getBytes(Http2CodecUtil.connectionPrefaceBuf());
    byte[] settings = frame(0, 4, 0, 0);
    return ByteBufUtil.getBytes(Unpooled.wrappedBuffer(preface, settings));
  }

  /** The head of a frame (RFC 9113, section 4.1). */
  static byte[] frame(int length, int type, int flags, int streamId) {
    ByteBuf frame = Unpooled.buffer(9);
    return ByteBufUtil.getBytes(
        frame.writeMedium(length).writeByte(type).writeByte(flags).writeInt(streamId));
  }

  static Http2Headers request() {
    return new DefaultHttp2Headers()
        .method("POST")
        .scheme("http")
        .path("/" + Echo.NAME + "/Bidi")
        .authority("peer")
        .add("content-type", "application/grpc")
        .add("te", "trailers");
  }

  /** A call of the method {@code Bidi}, and its reset. */
  static byte[] callAndReset(int streamId) throws Http2Exception {
    return join(call(streamId), frame(4, 3, 0, streamId), new byte[] {0, 0, 0, 8});
  }

  /** A call of the method {@code Bidi} that has sent no message. */
  static byte[] call(int streamId) throws Http2Exception {
    byte[] headers = headers(request());
    return join(frame(headers.length, 1, 4, streamId), headers);
  }

  /** A DATA frame. */
  static byte[] data(int streamId, byte[] bytes) {
    return join(frame(bytes.length, 0, 0, streamId), bytes);
  }

  static byte[] join(byte[]... parts) {
    return ByteBufUtil.getBytes(Unpooled.wrappedBuffer(parts));
  }

  static byte[] headers(Http2Headers headers) throws Http2Exception {
    ByteBuf out = Unpooled.buffer();
    new DefaultHttp2HeadersEncoder((name, value) -> true, false, 0).encodeHeaders(1, headers, out);
    return ByteBufUtil.getBytes(out);
  }
}
