package io.grpcstream.libp2p.mux;

import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.ChannelOption;
import io.netty.channel.DefaultChannelConfig;
import io.netty.channel.MessageSizeEstimator;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.socket.DuplexChannelConfig;
import java.util.Map;

/**
 * The configuration of a stream's channel. Beside Netty's general options it knows {@link
 * ChannelOption#ALLOW_HALF_CLOSURE}, off by default, and accepts {@link ChannelOption#SO_KEEPALIVE}
 * and {@link ChannelOption#TCP_NODELAY}, which gRPC sets on every channel, without any effect: both
 * belong to the connection.
 */
public final class StreamChannelConfig extends DefaultChannelConfig implements DuplexChannelConfig {
  private final AbstractStreamChannel stream;
  private volatile boolean allowHalfClosure;
  private volatile boolean keepAlive;
  private volatile boolean noDelay = true;

  StreamChannelConfig(AbstractStreamChannel stream) {
    super(stream);
    this.stream = stream;
  }

  @Override
  public Map<ChannelOption<?>, Object> getOptions() {
    return getOptions(
        super.getOptions(),
        ChannelOption.ALLOW_HALF_CLOSURE,
        ChannelOption.SO_KEEPALIVE,
        ChannelOption.TCP_NODELAY);
  }

  @SuppressWarnings("unchecked")
  @Override
  public <T> T getOption(ChannelOption<T> option) {
    if (option == ChannelOption.ALLOW_HALF_CLOSURE) {
      return (T) Boolean.valueOf(allowHalfClosure);
    }
    if (option == ChannelOption.SO_KEEPALIVE) {
      return (T) Boolean.valueOf(keepAlive);
    }
    if (option == ChannelOption.TCP_NODELAY) {
      return (T) Boolean.valueOf(noDelay);
    }
    return super.getOption(option);
  }

  @Override
  public <T> boolean setOption(ChannelOption<T> option, T value) {
    if (option == ChannelOption.ALLOW_HALF_CLOSURE) {
      allowHalfClosure = (Boolean) value;
    } else if (option == ChannelOption.SO_KEEPALIVE) {
      keepAlive = (Boolean) value;
    } else if (option == ChannelOption.TCP_NODELAY) {
      noDelay = (Boolean) value;
    } else {
      return super.setOption(option, value);
    }
    return true;
  }

  /** Whether the channel stays open after the other side's FIN; false by default. */
  @Override
  public boolean isAllowHalfClosure() {
    return allowHalfClosure;
  }

  @Override
  public StreamChannelConfig setAllowHalfClosure(boolean allow) {
    allowHalfClosure = allow;
    return this;
  }

  @Override
  protected void autoReadCleared() {
    stream.autoReadCleared();
  }

  @Deprecated
  @Override
  public StreamChannelConfig setMaxMessagesPerRead(int maxMessagesPerRead) {
    super.setMaxMessagesPerRead(maxMessagesPerRead);
    return this;
  }

  @Override
  public StreamChannelConfig setWriteSpinCount(int writeSpinCount) {
    super.setWriteSpinCount(writeSpinCount);
    return this;
  }

  @Override
  public StreamChannelConfig setAllocator(ByteBufAllocator allocator) {
    super.setAllocator(allocator);
    return this;
  }

  @Override
  public StreamChannelConfig setRecvByteBufAllocator(RecvByteBufAllocator allocator) {
    super.setRecvByteBufAllocator(allocator);
    return this;
  }

  @Override
  public StreamChannelConfig setAutoRead(boolean autoRead) {
    super.setAutoRead(autoRead);
    return this;
  }

  @Override
  public StreamChannelConfig setAutoClose(boolean autoClose) {
    super.setAutoClose(autoClose);
    return this;
  }

  @Override
  public StreamChannelConfig setMessageSizeEstimator(MessageSizeEstimator estimator) {
    super.setMessageSizeEstimator(estimator);
    return this;
  }

  @Override
  public StreamChannelConfig setWriteBufferWaterMark(WriteBufferWaterMark waterMark) {
    super.setWriteBufferWaterMark(waterMark);
    return this;
  }
}
