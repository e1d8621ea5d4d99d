package io.grpcstream.libp2p.security.noise;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpcstream.libp2p.crypto.PrivateKey;
import io.grpcstream.libp2p.multistream.MultistreamInitiator;
import io.grpcstream.libp2p.multistream.MultistreamResponder;
import io.grpcstream.libp2p.multistream.MultistreamSelector;
import io.grpcstream.libp2p.security.SecuredConnection;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.local.LocalAddress;
import io.netty.channel.local.LocalChannel;
import io.netty.channel.local.LocalIoHandler;
import io.netty.channel.local.LocalServerChannel;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Negotiation and handshake between real channels. On one event loop an answer arrives while the
 * question is still being flushed.
 */
class NoiseOverLocalChannelTest {
  private final PrivateKey dialerKey = PrivateKey.generateEd25519();
  private final PrivateKey listenerKey = PrivateKey.generateEd25519();
  private EventLoopGroup group;

  @AfterEach
  void stop() {
    group.shutdownGracefully(0, 5, SECONDS).syncUninterruptibly();
  }

  @ParameterizedTest(name = "{0} event loops, auto-read {1}")
  @CsvSource({"1, true", "1, false", "2, true", "2, false"})
  void twoChannelsAgreeAuthenticateAndTalk(int threads, boolean autoRead) throws Exception {
    group = new MultiThreadIoEventLoopGroup(threads, LocalIoHandler.newFactory());
    CompletableFuture<SecuredConnection> accepted = new CompletableFuture<>();
    CompletableFuture<SecuredConnection> dialed = new CompletableFuture<>();
    CompletableFuture<String> echoed = new CompletableFuture<>();
    LocalAddress address = new LocalAddress(NoiseOverLocalChannelTest.class);

    new ServerBootstrap()
        .group(group)
        .channel(LocalServerChannel.class)
        .childHandler(
            upgrade(new NoiseSecurity(listenerKey), false, autoRead, accepted, new Echo(autoRead)))
        .bind(address)
        .sync();
    Channel channel =
        new Bootstrap()
            .group(group)
            .channel(LocalChannel.class)
            .handler(
                upgrade(
                    new NoiseSecurity(dialerKey), true, autoRead, dialed, new Collect(5, echoed)))
            .connect(address)
            .sync()
            .channel();

    assertThat(dialed.get(20, SECONDS).remoteKey()).isEqualTo(listenerKey.publicKey());
    channel.writeAndFlush(Unpooled.copiedBuffer("hello", UTF_8));
    channel.read();
    assertThat(accepted.get(20, SECONDS).remoteKey()).isEqualTo(dialerKey.publicKey());
    assertThat(echoed.get(20, SECONDS)).isEqualTo("hello");
  }

  private static ChannelInitializer<Channel> upgrade(
      NoiseSecurity noise,
      boolean initiator,
      boolean autoRead,
      CompletableFuture<SecuredConnection> secured,
      SimpleChannelInboundHandler<ByteBuf> application) {
    return new ChannelInitializer<>() {
      @Override
      protected void initChannel(Channel channel) {
        channel.config().setAutoRead(autoRead);
        MultistreamSelector selector =
            initiator
                ? new MultistreamInitiator(List.of("/tls/1.0.0", "/noise"))
                : new MultistreamResponder(List.of("/noise"));
        channel.pipeline().addLast(selector);
        selector
            .agreed()
            .addListener(
                agreed -> {
                  assertThat(agreed.getNow()).isEqualTo("/noise");
                  noise
                      .secure(channel, initiator, List.of("/yamux/1.0.0"), key -> {})
                      .addListener(
                          f -> {
                            channel.pipeline().addLast(application);
                            if (f.isSuccess()) {
                              secured.complete((SecuredConnection) f.getNow());
                            } else {
                              secured.completeExceptionally(f.cause());
                            }
                          });
                });
      }
    };
  }

  private static final class Echo extends SimpleChannelInboundHandler<ByteBuf> {
    private final boolean autoRead;

    Echo(boolean autoRead) {
      this.autoRead = autoRead;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
      if (!autoRead) {
        ctx.read();
      }
    }

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, ByteBuf message) {
      ctx.writeAndFlush(message.retain());
    }
  }

  private static final class Collect extends SimpleChannelInboundHandler<ByteBuf> {
    private final int expected;
    private final CompletableFuture<String> result;
    private final StringBuilder text = new StringBuilder();

    Collect(int expected, CompletableFuture<String> result) {
      this.expected = expected;
      this.result = result;
    }

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, ByteBuf message) {
      text.append(message.toString(UTF_8));
      if (text.length() >= expected) {
        result.complete(text.toString());
      }
    }
  }
}
