package io.grpcstream.libp2p.foreign;

import io.netty.channel.ChannelOption;
import io.netty.channel.DefaultChannelConfig;
import java.util.Map;

/**
 * The configuration of a foreign stream's channel: reading is off at first, and beside Netty's
 * general options there is {@link ChannelOption#ALLOW_HALF_CLOSURE}, also off.
 */
final class ForeignStreamConfig extends DefaultChannelConfig {
  private final ForeignStreamChannel stream;
  private volatile boolean allowHalfClosure;

  ForeignStreamConfig(ForeignStreamChannel stream) {
    super(stream);
    this.stream = stream;
    setAutoRead(false);
  }

  /** Whether the channel stays open after the other side has ended its half. */
  boolean isAllowHalfClosure() {
    return allowHalfClosure;
  }

  @Override
  public Map<ChannelOption<?>, Object> getOptions() {
    return getOptions(super.getOptions(), ChannelOption.ALLOW_HALF_CLOSURE);
  }

  @SuppressWarnings("unchecked")
  @Override
  public <T> T getOption(ChannelOption<T> option) {
    return option == ChannelOption.ALLOW_HALF_CLOSURE
        ? (T) Boolean.valueOf(allowHalfClosure)
        : super.getOption(option);
  }

  @Override
  public <T> boolean setOption(ChannelOption<T> option, T value) {
    if (option == ChannelOption.ALLOW_HALF_CLOSURE) {
      allowHalfClosure = (Boolean) value;
      return true;
    }
    return super.setOption(option, value);
  }

  @Override
  protected void autoReadCleared() {
    stream.autoReadCleared();
  }
}
