package io.grpcstream.libp2p;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.ReferenceCountUtil;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/** Hosts for one test, all closed at its end. */
public final class TestHosts implements AutoCloseable {
  static final String ECHO = "/test/echo/1.0.0";
  static final String MEMORY = "/memory/0";
  static final String TCP = "/ip4/127.0.0.1/tcp/0";

  /** Answers each byte with itself, and the end of the stream with its end. */
  static final StreamHandler ECHOER =
      stream ->
          stream
              .channel()
              .pipeline()
              .addLast(
                  new ChannelInboundHandlerAdapter() {
                    @Override
                    public void channelRead(ChannelHandlerContext context, Object message) {
                      context.writeAndFlush(message);
                    }

                    @Override
                    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
                      context.close();
                    }
                  });

  private final List<Host> hosts = new ArrayList<>();

  /** A started host that listens in memory and echoes. */
  Host start() {
    return start(builder -> builder.listen(MEMORY));
  }

  Host start(UnaryOperator<Host.Builder> options) {
    Host host = build(options);
    host.handle(ECHO, ECHOER);
    return await(host.start());
  }

  Host build(UnaryOperator<Host.Builder> options) {
    Host host = options.apply(Host.builder().threads(1)).build();
    hosts.add(host);
    return host;
  }

  static Multiaddr address(Host host) {
    return host.listenAddresses().get(0);
  }

  /** Sends {@code text} on an echo stream and returns what comes back. */
  static String echo(Stream stream, String text) {
    CompletableFuture<String> answer = new CompletableFuture<>();
    stream
        .channel()
        .pipeline()
        .addLast(
            new ChannelInboundHandlerAdapter() {
              private final StringBuilder received = new StringBuilder();

              @Override
              public void channelRead(ChannelHandlerContext context, Object message) {
                received.append(((ByteBuf) message).toString(StandardCharsets.UTF_8));
                ReferenceCountUtil.release(message);
                if (received.length() >= text.length()) {
                  context.pipeline().remove(this);
                  answer.complete(received.toString());
                }
              }

              @Override
              public void channelInactive(ChannelHandlerContext context) {
                answer.completeExceptionally(new IllegalStateException("stream closed"));
              }

              @Override
              public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
                answer.completeExceptionally(cause);
              }
            });
    stream.channel().writeAndFlush(Unpooled.copiedBuffer(text, StandardCharsets.UTF_8));
    return await(answer);
  }

  public static <T> T await(CompletionStage<T> stage) {
    try {
      return stage.toCompletableFuture().get(20, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw new AssertionError("failed: " + e.getCause(), e.getCause());
    } catch (TimeoutException | InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** The failure of {@code stage}. */
  public static Throwable failure(CompletionStage<?> stage) {
    try {
      Object value = stage.toCompletableFuture().get(20, TimeUnit.SECONDS);
      throw new AssertionError("expected a failure, got " + value);
    } catch (ExecutionException e) {
      return e.getCause();
    } catch (TimeoutException | InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** Waits until {@code host} has no stream, of whichever protocol. */
  public static void noStreams(Host host) {
    eventually(
        () -> "no streams, has " + host.stats(),
        () -> host.stats().inboundStreams() + host.stats().outboundStreams() == 0);
  }

  /** Waits until {@code condition} holds. */
  public static void eventually(String what, BooleanSupplier condition) {
    eventually(() -> what, condition);
  }

  public static void eventually(Supplier<String> what, BooleanSupplier condition) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - deadline > 0) {
        throw new AssertionError("not within 20 s: " + what.get());
      }
      java.util.concurrent.locks.LockSupport.parkNanos(1_000_000);
    }
  }

  @Override
  public void close() {
    List<CompletionStage<Void>> ends = new ArrayList<>();
    hosts.forEach(host -> ends.add(host.shutdown(Duration.ZERO)));
    ends.forEach(TestHosts::await);
  }
}
