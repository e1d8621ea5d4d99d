package io.grpcstream.libp2p.security.noise;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import java.io.ByteArrayOutputStream;
import java.security.GeneralSecurityException;
import java.security.Provider;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Two ends without a network between them. */
final class NoiseFixture {
  private NoiseFixture() {}

  /** A channel whose allocator tells what was not released, and what its pipeline let through. */
  static final class End {
    final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(true, true);
    final EmbeddedChannel channel = new EmbeddedChannel();
    final ByteArrayOutputStream received = new ByteArrayOutputStream();
    final List<Throwable> failures = new ArrayList<>();
    int reads;
    int readCompletes;

    End(ChannelHandler... handlers) {
      channel.config().setAllocator(allocator);
      channel.pipeline().addLast(handlers);
      channel.pipeline().addLast(new Sink());
    }

    /** Bytes of buffers that nobody has released. */
    long held() {
      return allocator.metric().usedDirectMemory() + allocator.metric().usedHeapMemory();
    }

    /** Everything this end has sent, as one array. */
    byte[] sent() {
      ByteBuf all = Unpooled.buffer();
      for (ByteBuf out; (out = channel.readOutbound()) != null; out.release()) {
        all.writeBytes(out);
      }
      byte[] bytes = ByteBufUtil.getBytes(all);
      all.release();
      return bytes;
    }

    void receive(byte[] bytes) {
      ByteBuf in = channel.alloc().buffer(Math.max(1, bytes.length)).writeBytes(bytes);
      channel.pipeline().fireChannelRead(in).fireChannelReadComplete();
      channel.runPendingTasks();
    }

    @ChannelHandler.Sharable
    private final class Sink extends ChannelInboundHandlerAdapter {
      @Override
      public void channelRead(ChannelHandlerContext ctx, Object message) {
        reads++;
        received.writeBytes(ByteBufUtil.getBytes((ByteBuf) message));
        ((ByteBuf) message).release();
      }

      @Override
      public void channelReadComplete(ChannelHandlerContext ctx) {
        readCompletes++;
      }

      @Override
      public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        failures.add(cause);
      }
    }
  }

  /** Codecs of the two ends of one connection. */
  static NoiseCodec[] codecs() {
    return codecs(null);
  }

  /** Codecs of the two ends of one connection, whose ciphers {@code provider} supplies. */
  static NoiseCodec[] codecs(@Nullable Provider provider) {
    byte[] ours = new byte[32];
    byte[] theirs = new byte[32];
    ours[0] = 1;
    theirs[0] = 2;
    NoiseCrypto crypto = new NoiseCrypto(provider);
    try {
      return new NoiseCodec[] {
        new NoiseCodec(new CipherState(crypto, ours), new CipherState(crypto, theirs)),
        new NoiseCodec(new CipherState(crypto, theirs), new CipherState(crypto, ours))
      };
    } catch (GeneralSecurityException e) {
      throw new AssertionError(e);
    }
  }
}
