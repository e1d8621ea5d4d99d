package io.grpcstream.libp2p.mux;

import io.netty.channel.DefaultChannelPipeline;
import java.io.IOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A stream's pipeline, whose failures a peer can cause at will: they must not fill the log. */
final class StreamPipeline extends DefaultChannelPipeline {
  private static final Logger log = LoggerFactory.getLogger(StreamPipeline.class);

  private final AbstractStreamChannel stream;

  StreamPipeline(AbstractStreamChannel stream) {
    super(stream);
    this.stream = stream;
  }

  @Override
  protected void onUnhandledInboundException(Throwable cause) {
    if (cause instanceof IOException) {
      log.debug("{} ended", stream.name(), cause);
    } else {
      super.onUnhandledInboundException(cause);
    }
  }
}
