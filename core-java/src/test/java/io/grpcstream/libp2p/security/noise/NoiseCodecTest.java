package io.grpcstream.libp2p.security.noise;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpcstream.libp2p.security.noise.NoiseFixture.End;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.UnsupportedMessageTypeException;
import java.io.EOFException;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.security.Provider;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class NoiseCodecTest {
  private final NoiseCodec[] codecs = NoiseFixture.codecs(cipherProvider());
  private final End sender = new End(codecs[0]);
  private final End receiver = new End(codecs[1]);

  /** Whose cipher is tested; null for the JDK's. */
  @Nullable Provider cipherProvider() {
    return null;
  }

  @AfterEach
  void nothingIsLeftBehind() {
    sender.channel.finishAndReleaseAll();
    receiver.channel.finishAndReleaseAll();
    assertThat(sender.held()).isZero();
    assertThat(receiver.held()).isZero();
  }

  private ChannelFuture write(String text) {
    return sender.channel.write(Unpooled.copiedBuffer(text, UTF_8));
  }

  private byte[] record(String text) {
    write(text);
    sender.channel.flush();
    return sender.sent();
  }

  private void assertBroken(String reason) {
    assertThat(receiver.failures).hasSize(1);
    assertThat(receiver.failures.get(0))
        .isInstanceOf(NoiseException.class)
        .hasMessageContaining("noise: ")
        .hasMessageContaining(reason);
    assertThat(receiver.channel.isActive()).isFalse();
  }

  @Test
  void smallWritesBecomeOneRecordAtFlush() {
    List<String> done = new ArrayList<>();
    for (String part : List.of("a", "", "bc", "def")) {
      write(part).addListener(f -> done.add(part));
    }
    assertThat(sender.channel.<Object>readOutbound()).isNull();
    sender.channel.flush();

    assertThat(done).containsExactly("a", "", "bc", "def");
    ByteBuf out = sender.channel.readOutbound();
    assertThat(out.isDirect()).isTrue();
    assertThat(out.readableBytes()).isEqualTo(2 + 6 + 16);
    assertThat(out.getUnsignedShort(0)).isEqualTo(6 + 16);
    assertThat(sender.channel.<Object>readOutbound()).isNull();
    receiver.channel.writeInbound(out);
    assertThat(receiver.received).hasToString("abcdef");
  }

  @Test
  void aLargeWriteBecomesFullRecordsInOneBuffer() {
    byte[] large = new byte[3 * NoiseCodec.MAX_PLAINTEXT + 1];
    Arrays.fill(large, (byte) 7);
    sender.channel.writeAndFlush(Unpooled.wrappedBuffer(large));
    ByteBuf out = sender.channel.readOutbound();
    assertThat(out.getUnsignedShort(0)).isEqualTo(65_535);
    assertThat(out.readableBytes()).isEqualTo(large.length + 4 * 18);

    receiver.channel.writeInbound(out);
    assertThat(receiver.received.toByteArray()).isEqualTo(large);
    assertThat(receiver.reads).isEqualTo(1);
    assertThat(receiver.readCompletes).isEqualTo(1);
  }

  @Test
  void aDirectBufferIsEncryptedToo() {
    ByteBuf direct = Unpooled.directBuffer().writeZero(70_000);
    sender.channel.writeAndFlush(direct);
    assertThat(direct.refCnt()).isZero();
    receiver.receive(sender.sent());
    assertThat(receiver.received.toByteArray()).isEqualTo(new byte[70_000]);
  }

  @Test
  void anEmptyWriteCompletesWithoutARecord() {
    ChannelFuture empty = write("");
    sender.channel.flush();
    assertThat(empty.isSuccess()).isTrue();
    assertThat(sender.sent()).isEmpty();
  }

  @Test
  @DisplayName("What is not flushed is bounded, and counts for writability")
  void unflushedBytesAreBounded() {
    assertThat(sender.channel.isWritable()).isTrue();
    for (int i = 0; i < 80; i++) {
      sender.channel.write(Unpooled.wrappedBuffer(new byte[1024]));
    }
    assertThat(sender.channel.isWritable()).isFalse();
    assertThat(sender.channel.<Object>readOutbound()).isNull();
    for (int i = 80; i < 256; i++) {
      sender.channel.write(Unpooled.wrappedBuffer(new byte[1024]));
    }
    sender.channel.flushOutbound();
    assertThat(sender.channel.isWritable()).isTrue();
    ByteBuf first = sender.channel.readOutbound();
    assertThat(first.readableBytes()).isEqualTo(4 * (2 + 65_535));
    first.release();
  }

  @Test
  void aFailedWriteBelowFailsThePromisesOfItsRecord() {
    IOException reset = new IOException("reset");
    sender
        .channel
        .pipeline()
        .addFirst(
            new ChannelOutboundHandlerAdapter() {
              @Override
              public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
                ((ByteBuf) message).release();
                promise.setFailure(reset);
              }
            });
    ChannelFuture first = write("a");
    ChannelFuture second = write("b");
    sender.channel.flush();
    assertThat(first.cause()).isSameAs(reset);
    assertThat(second.cause()).isSameAs(reset);
  }

  @Test
  void otherMessagesAreRefused() {
    ChannelFuture other = sender.channel.write("text");
    assertThat(other.cause()).isInstanceOf(UnsupportedMessageTypeException.class);
  }

  @Test
  void unflushedWritesFailWhenTheChannelCloses() {
    ChannelFuture pending = write("never sent");
    sender.channel.close();
    assertThat(pending.cause()).isInstanceOf(ClosedChannelException.class);
    assertThat(write("too late").cause()).isInstanceOf(ClosedChannelException.class);
    assertThat(sender.sent()).isEmpty();
  }

  @Test
  void unflushedWritesFailWhenTheHandlerIsRemoved() {
    ChannelFuture pending = write("never sent");
    sender.channel.pipeline().remove(NoiseCodec.class);
    assertThat(pending.cause()).isInstanceOf(ClosedChannelException.class);
  }

  @Test
  @DisplayName("Nonce exhaustion ends the connection and sends nothing")
  void nonceExhaustionEndsTheConnection() throws Exception {
    NoiseCrypto crypto = new NoiseCrypto(null);
    CipherState used = new CipherState(crypto, new byte[32]);
    used.setNonce(-1);
    End end = new End(new NoiseCodec(used, new CipherState(crypto, new byte[32])));
    ChannelFuture first = end.channel.write(Unpooled.copiedBuffer("a", UTF_8));
    end.channel.flush();

    assertThat(first.cause()).isInstanceOf(NoiseException.class).hasMessageContaining("used up");
    assertThat(end.failures).containsExactly(first.cause());
    assertThat(end.channel.isActive()).isFalse();
    assertThat(end.channel.<Object>readOutbound()).isNull();
    assertThat(end.held()).isZero();
  }

  @Test
  void aFlippedBitEndsTheConnectionAfterWhatWasGood() {
    byte[] good = record("good");
    byte[] bad = record("bad");
    bad[4] ^= 1;
    receiver.receive(NoiseCrypto.concat(good, bad));
    assertThat(receiver.received).hasToString("good");
    assertBroken("a record of 19 bytes is not authentic");

    receiver.receive(record("more"));
    assertThat(receiver.received).hasToString("good");
    assertThat(receiver.failures).hasSize(1);
  }

  @Test
  void aReplayedRecordEndsTheConnection() {
    byte[] once = record("once");
    receiver.receive(once);
    receiver.receive(once);
    assertThat(receiver.received).hasToString("once");
    assertBroken("not authentic");
  }

  @Test
  void reorderedRecordsEndTheConnection() {
    byte[] first = record("first");
    byte[] second = record("second");
    receiver.receive(second);
    receiver.receive(first);
    assertThat(receiver.received).hasToString("");
    assertBroken("not authentic");
  }

  @Test
  @DisplayName("A cut record at the end is reported as a loss, and not as a violation")
  void cutRecordIsALoss() {
    byte[] cut = record("cut");
    receiver.receive(Arrays.copyOf(cut, 10));
    receiver.channel.close();
    assertThat(receiver.failures)
        .singleElement()
        .isInstanceOf(EOFException.class)
        .asString()
        .contains("noise: ", "ended after 10 bytes of a record");
  }

  @Test
  @DisplayName("A record shorter than its tag ends the connection at once")
  void recordShorterThanItsTag() {
    receiver.receive(new byte[] {0, 15});
    assertBroken("a record of 15 bytes, shorter than its tag of 16");
  }

  @Test
  void aShortLengthAfterAPartIsNoticedToo() {
    receiver.receive(new byte[] {0});
    receiver.receive(new byte[] {0});
    assertBroken("a record of 0 bytes");
  }

  @Test
  @DisplayName("Pending writes fail when the remote breaks the protocol")
  void pendingWritesFailOnAViolation() {
    ChannelFuture pending = receiver.channel.write(receiver.channel.alloc().buffer().writeZero(10));
    receiver.receive(new byte[] {0, 1});
    assertThat(pending.cause()).isInstanceOf(NoiseException.class);
    ChannelFuture late = receiver.channel.writeAndFlush(Unpooled.buffer().writeZero(1));
    assertThat(late.cause()).isInstanceOf(ClosedChannelException.class);
  }

  @Test
  @DisplayName("A claimed length takes no memory before the bytes come")
  void claimedLengthTakesNoMemory() {
    receiver.receive(new byte[] {(byte) 0xff, (byte) 0xff, 1, 2, 3});
    assertThat(receiver.held()).isLessThanOrEqualTo(64);
    receiver.receive(new byte[1000]);
    assertThat(receiver.held()).isLessThanOrEqualTo(2048);
  }

  @Test
  void emptyRecordsAreAcceptedAndYieldNothing() throws Exception {
    CipherState theirs = new CipherState(new NoiseCrypto(null), key(1));
    byte[] out = new byte[18];
    out[1] = 16;
    theirs.encrypt(new byte[0], 0, 0, out, 2);
    receiver.receive(out);
    assertThat(receiver.reads).isZero();
    assertThat(receiver.failures).isEmpty();
  }

  @Test
  @DisplayName("A handler that closes in the middle of a read sees no more")
  void handlerThatClosesInARead() {
    List<byte[]> records = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      sender.channel.writeAndFlush(Unpooled.wrappedBuffer(new byte[60_000]));
      records.add(sender.sent());
    }
    int[] seen = {0};
    receiver
        .channel
        .pipeline()
        .addAfter(
            receiver.channel.pipeline().context(NoiseCodec.class).name(),
            "closer",
            new ChannelInboundHandlerAdapter() {
              @Override
              public void channelRead(ChannelHandlerContext ctx, Object message) {
                seen[0] += ((ByteBuf) message).readableBytes();
                ((ByteBuf) message).release();
                ctx.pipeline().remove(NoiseCodec.class);
              }
            });
    receiver.receive(records.stream().reduce(new byte[0], NoiseCrypto::concat));
    assertThat(seen[0]).isEqualTo(4 * 60_000);
    assertThat(receiver.failures).isEmpty();
  }

  @Test
  @DisplayName("A handler that answers in the middle of a read does not disturb it")
  void handlerThatAnswersInARead() {
    byte[] wire = new byte[0];
    byte[] sent = new byte[12 * 60_000];
    new Random(1).nextBytes(sent);
    for (int i = 0; i < 12; i++) {
      sender.channel.writeAndFlush(Unpooled.wrappedBuffer(sent, i * 60_000, 60_000));
      wire = NoiseCrypto.concat(wire, sender.sent());
    }
    receiver
        .channel
        .pipeline()
        .addAfter(
            receiver.channel.pipeline().context(NoiseCodec.class).name(),
            "echo",
            new ChannelInboundHandlerAdapter() {
              @Override
              public void channelRead(ChannelHandlerContext ctx, Object message) {
                ctx.writeAndFlush(((ByteBuf) message).retainedDuplicate());
                ctx.fireChannelRead(message);
              }
            });
    receiver.receive(wire);
    sender.receive(receiver.sent());
    assertThat(receiver.received.toByteArray()).isEqualTo(sent);
    assertThat(sender.received.toByteArray()).isEqualTo(sent);
  }

  private static byte[] key(int first) {
    byte[] key = new byte[32];
    key[0] = (byte) first;
    return key;
  }
}
