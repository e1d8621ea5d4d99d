package io.grpcstream.libp2p.mux.yamux;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpcstream.libp2p.mux.MuxerListener;
import io.grpcstream.libp2p.mux.StreamChannel;
import io.netty.buffer.AbstractByteBufAllocator;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledHeapByteBuf;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** When there is no memory for what a session has to say, it ends, and says why. */
class WantOfMemoryTest implements MuxerListener {
  private final List<Throwable> ends = new ArrayList<>();
  private boolean exhausted;

  private final AbstractByteBufAllocator alloc =
      new AbstractByteBufAllocator(false) {
        @Override
        protected ByteBuf newHeapBuffer(int initialCapacity, int maxCapacity) {
          if (exhausted) {
            throw new OutOfMemoryError("exhausted");
          }
          return new UnpooledHeapByteBuf(this, initialCapacity, maxCapacity);
        }

        @Override
        protected ByteBuf newDirectBuffer(int initialCapacity, int maxCapacity) {
          return newHeapBuffer(initialCapacity, maxCapacity);
        }

        @Override
        public boolean isDirectBufferPooled() {
          return false;
        }
      };

  @Test
  void aTurnThatFindsNoMemoryEndsTheSession() {
    YamuxSession session = new YamuxSession(true, Side.QUIET, this);
    EmbeddedChannel connection = new EmbeddedChannel();
    connection.config().setAllocator(alloc);
    connection.pipeline().addLast(session);
    YamuxStreamChannel stream = session.openStream().getNow();
    connection.runPendingTasks();

    exhausted = true;
    ByteBuf written = Side.buffer(1000);
    stream.writeAndFlush(written);
    connection.runPendingTasks();

    assertThat(ends).singleElement().isInstanceOf(OutOfMemoryError.class);
    assertThat(stream.isOpen()).isFalse();
    assertThat(connection.isOpen()).isFalse();
    assertThat(written.refCnt()).isZero();
    connection.releaseOutbound();
  }

  @Override
  public void onInboundStream(StreamChannel stream) {}

  @Override
  public void onGoAway(String reason) {}

  @Override
  public void onClosed(@Nullable Throwable cause) {
    ends.add(cause);
  }
}
