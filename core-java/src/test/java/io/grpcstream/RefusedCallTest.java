package io.grpcstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.CallOptions;
import io.grpc.Status;
import io.grpc.Status.Code;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.Stream;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a call ends with that the peer's HTTP/2 refuses before any service has seen it. */
@Timeout(60)
class RefusedCallTest {
  private static final int PREFACE = 24;
  private static final String SETTINGS = "000000040000000000";
  private static final String GO_AWAY =
      "0000140700000000000000000000000000" + "6d6f76696e6720686f757365";

  private final Wire wire = Wire.tcp();

  @AfterEach
  void close() throws Exception {
    wire.close();
  }

  @Test
  @DisplayName("A call that crosses a GOAWAY is UNAVAILABLE, and says who takes no more and why")
  void callThatCrossesAGoAway() {
    PeerId peer = Wire.peer();
    Stream stream =
        wire.open(
            Wire.peer(),
            peer,
            Wire.PROTOCOL,
            accepted -> accepted.channel().pipeline().addLast(new Refuser()));
    Status status = Echo.failure(GrpcStream.wrapClient(stream), CallOptions.DEFAULT);
    assertThat(status.getCode()).isEqualTo(Code.UNAVAILABLE);
    assertThat(status.getDescription())
        .contains("takes no more calls on it (GOAWAY): moving house", " peer ");
  }

  /** Answers the first call by a GOAWAY that leaves it out. */
  private static final class Refuser extends ByteToMessageDecoder {
    private boolean begun;

    @Override
    protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
      if (!begun) {
        if (in.readableBytes() < PREFACE) {
          return;
        }
        in.skipBytes(PREFACE);
        begun = true;
        send(ctx, SETTINGS);
      }
      int at = in.readerIndex();
      if (in.readableBytes() < 9 || in.readableBytes() < 9 + in.getUnsignedMedium(at)) {
        return;
      }
      boolean headers = in.getByte(at + 3) == 1;
      in.skipBytes(9 + in.getUnsignedMedium(at));
      if (headers) {
        send(ctx, GO_AWAY);
      }
    }

    private static void send(ChannelHandlerContext ctx, String frame) {
      ctx.writeAndFlush(Unpooled.wrappedBuffer(HexFormat.of().parseHex(frame)));
    }
  }
}
