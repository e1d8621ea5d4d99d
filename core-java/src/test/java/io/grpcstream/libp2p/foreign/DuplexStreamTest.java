package io.grpcstream.libp2p.foreign;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpcstream.libp2p.Connection;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.YamuxPair;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPromise;
import io.netty.channel.DefaultChannelId;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.DuplexChannel;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** {@link Stream#over} of channels like those of Netty's QUIC, which share a connection. */
@Timeout(30)
class DuplexStreamTest {
  private static final int ANSWER = 200_000;

  private final Connection connection = new Connection();

  @AfterEach
  void close() {
    connection.finishAndReleaseAll();
  }

  private static Stream over(Channel channel) {
    return Stream.over(
        channel,
        YamuxPair.DIALLER,
        YamuxPair.ACCEPTOR,
        YamuxPair.ACCEPTOR_ADDRESS,
        "/test/1.0.0",
        true);
  }

  private static ByteBuf bytes(int count) {
    return Unpooled.buffer(count).writeZero(count);
  }

  static List<Consumer<Stream>> ends() {
    return List.of(
        Stream::close,
        Stream::reset,
        stream -> stream.channel().close(), // As gRPC does.
        stream -> stream.channel().pipeline().lastContext().disconnect());
  }

  @ParameterizedTest
  @MethodSource("ends")
  @DisplayName(
      "What comes for a stream that was ended here takes nothing of its connection's window")
  void bytesForAnEndedStreamTakeNoWindow(Consumer<Stream> end) {
    for (int i = 0; i < 3 * Connection.WINDOW / ANSWER; i++) {
      QuicLike channel = new QuicLike(connection);
      channel.pipeline().addLast(new ChannelDuplexHandler());
      Stream stream = over(channel);
      channel.willing = 100;
      stream.channel().writeAndFlush(bytes(100));
      end.accept(stream);
      channel.runPendingTasks();
      assertThat(stream.closed().toCompletableFuture()).isCompleted();
      assertThat(channel.arrive(ANSWER)).as("window left for stream " + i).isTrue();
      channel.finishAndReleaseAll();
    }
    assertThat(connection.window).isEqualTo(Connection.WINDOW);
  }

  @Test
  @DisplayName("What nobody had read when the stream ended is given back to its connection")
  void unreadBytesAreGivenBack() {
    QuicLike channel = new QuicLike(connection);
    Stream stream = over(channel);
    stream.channel().config().setAutoRead(false);
    channel.arrive(ANSWER);
    assertThat(connection.window).isEqualTo(Connection.WINDOW - ANSWER);
    stream.close();
    channel.runPendingTasks();
    assertThat(connection.window).isEqualTo(Connection.WINDOW);
    channel.finishAndReleaseAll();
  }

  @Test
  void aPeerThatHasEndedItsHalfIsNotToldToStop() {
    QuicLike channel = new QuicLike(connection);
    Stream stream = over(channel);
    channel.inputShutdown = true;
    stream.close();
    channel.runPendingTasks();
    assertThat(stream.closed().toCompletableFuture()).isCompleted();
    assertThat(channel.stops).isZero();
    channel.finishAndReleaseAll();
  }

  @Test
  @DisplayName("A peer that reads slowly gets all that was written before the close")
  void slowReaderGetsAllBeforeTheClose() {
    QuicLike channel = new QuicLike(connection);
    channel.freezeTime();
    Stream stream = over(channel);
    stream.channel().writeAndFlush(bytes(100_000));
    stream.close();
    for (int left = 100_000; left > 0; left -= 20_000) {
      assertThat(channel.isOpen()).isTrue();
      channel.pass(9);
      channel.take(20_000);
    }
    assertThat(channel.taken).isEqualTo(100_000);
    assertThat(stream.closed().toCompletableFuture()).isCompleted();
    channel.finishAndReleaseAll();
  }

  @Test
  @DisplayName("A peer that reads nothing cannot keep a stream that closes")
  void readerOfNothingCannotKeepAStream() {
    QuicLike channel = new QuicLike(connection);
    channel.freezeTime();
    Stream stream = over(channel);
    stream.channel().writeAndFlush(bytes(100_000));
    stream.close();
    channel.pass(9);
    assertThat(channel.isOpen()).isTrue();
    channel.pass(1);
    assertThat(stream.closed().toCompletableFuture()).isCompleted();
    assertThat(channel.stops).isEqualTo(1);
    channel.finishAndReleaseAll();
  }

  /** What the streams share: a window for all that has come and that nobody has read yet. */
  private static final class Connection extends EmbeddedChannel {
    static final int WINDOW = 1 << 20;

    int window = WINDOW;
  }

  /**
   * A stream, whose other side sends and takes what a test says. As Netty's, it has no outbound
   * buffer, and a close neither reads what comes later nor tells the peer to stop.
   */
  private static final class QuicLike extends EmbeddedChannel implements DuplexChannel {
    private final Connection connection;
    private boolean inputShutdown;
    private boolean outputShutdown;
    private int unread;
    private int stops;
    private int willing;
    private int taken;

    QuicLike(Connection connection) {
      super(connection, DefaultChannelId.newInstance(), true, false);
      this.connection = connection;
    }

    /** The peer sends; false if it may not. */
    boolean arrive(int bytes) {
      if (connection.window < bytes) {
        return false;
      }
      if (!inputShutdown && (!isOpen() || !config().isAutoRead())) {
        connection.window -= bytes;
        unread += bytes;
      }
      return true;
    }

    void take(int bytes) {
      willing = bytes;
      flush();
      runPendingTasks();
    }

    void pass(long seconds) {
      advanceTimeBy(seconds, SECONDS);
      runScheduledPendingTasks();
      runPendingTasks();
    }

    @Override
    protected void doWrite(ChannelOutboundBuffer out) {
      while (out.current() instanceof ByteBuf next && (willing > 0 || !next.isReadable())) {
        int bytes = Math.min(willing, next.readableBytes());
        willing -= bytes;
        taken += bytes;
        out.removeBytes(bytes);
      }
    }

    @Override
    public Unsafe unsafe() {
      Unsafe real = super.unsafe();
      return (Unsafe)
          Proxy.newProxyInstance(
              Unsafe.class.getClassLoader(),
              new Class<?>[] {Unsafe.class},
              (proxy, method, arguments) ->
                  method.getName().equals("outboundBuffer")
                      ? null
                      : method.invoke(real, arguments));
    }

    @Override
    public long bytesBeforeWritable() {
      return 0;
    }

    @Override
    public ChannelFuture shutdownInput(ChannelPromise promise) {
      inputShutdown = true;
      stops++;
      connection.window += unread;
      unread = 0;
      return promise.setSuccess();
    }

    @Override
    public ChannelFuture shutdownOutput(ChannelPromise promise) {
      outputShutdown = true;
      return promise.setSuccess();
    }

    @Override
    public ChannelFuture shutdown(ChannelPromise promise) {
      shutdownInput();
      return shutdownOutput(promise);
    }

    @Override
    public ChannelFuture shutdownInput() {
      return shutdownInput(newPromise());
    }

    @Override
    public ChannelFuture shutdownOutput() {
      return shutdownOutput(newPromise());
    }

    @Override
    public ChannelFuture shutdown() {
      return shutdown(newPromise());
    }

    @Override
    public boolean isInputShutdown() {
      return inputShutdown;
    }

    @Override
    public boolean isOutputShutdown() {
      return outputShutdown;
    }

    @Override
    public boolean isShutdown() {
      return inputShutdown && outputShutdown;
    }
  }
}
