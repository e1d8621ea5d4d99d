package io.grpcstream.libp2p.util;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.channel.DefaultEventLoop;
import io.netty.channel.EventLoop;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class EventLoopsTest {
  @Test
  @DisplayName("What is used on the event loop only says so where assertions are on")
  void assertOn() throws Exception {
    EventLoop loop = new DefaultEventLoop();
    try {
      assertThatThrownBy(() -> EventLoops.assertOn(loop))
          .isInstanceOf(AssertionError.class)
          .hasMessage(Thread.currentThread() + " is not on " + loop);
      assertThatCode(() -> loop.submit(() -> EventLoops.assertOn(loop)).get(10, TimeUnit.SECONDS))
          .doesNotThrowAnyException();
    } finally {
      loop.shutdownGracefully(0, 0, TimeUnit.SECONDS);
    }
    assertThatCode(() -> EventLoops.assertOn(new EmbeddedChannel().eventLoop()))
        .doesNotThrowAnyException();
  }
}
