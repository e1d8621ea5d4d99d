package io.grpcstream.libp2p.multistream;

import io.netty.buffer.Unpooled;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The side that proposes. Its header and first proposal travel in one write, the next proposal only
 * after the remote answered {@code na} to the one before. Once all have been refused the future
 * fails with {@link NoCommonProtocolException}.
 */
public final class MultistreamInitiator extends MultistreamSelector {
  private final List<String> protocols;
  private int proposed;

  /** Proposes within {@link #DEFAULT_TIMEOUT}. */
  public MultistreamInitiator(List<String> protocols) {
    this(protocols, DEFAULT_TIMEOUT);
  }

  /**
   * Proposes {@code protocols} in their order.
   *
   * @param protocols at least one protocol id, each of at most 1,023 bytes and without a newline
   * @param timeout for the whole negotiation, from when the channel is active
   * @throws IllegalArgumentException if no protocol is given, or one cannot be a protocol id
   */
  public MultistreamInitiator(List<String> protocols, Duration timeout) {
    super(timeout);
    this.protocols = List.copyOf(protocols);
    if (protocols.isEmpty()) {
      throw new IllegalArgumentException("no protocol to propose");
    }
    this.protocols.forEach(MultistreamInitiator::checkProtocol);
  }

  private static void checkProtocol(String protocol) {
    if (protocol.isEmpty() || protocol.indexOf('\n') >= 0 || protocol.equals(NOT_AVAILABLE)) {
      throw new IllegalArgumentException(
          "not a protocol id: " + MultistreamMessage.quote(protocol));
    }
    MultistreamMessage.write(Unpooled.buffer(), protocol);
  }

  @Override
  void begin() {
    send(HEADER);
    send(protocols.get(proposed++));
  }

  @Override
  @Nullable String receive(String message) throws MultistreamException {
    String current = protocols.get(proposed - 1);
    if (message.equals(current)) {
      return current;
    }
    if (!message.equals(NOT_AVAILABLE)) {
      throw new MultistreamException(
          "expected %s or na, got %s".formatted(current, MultistreamMessage.quote(message)));
    }
    if (proposed == protocols.size()) {
      throw new NoCommonProtocolException(describe("the remote supports none of them"), protocols);
    }
    send(protocols.get(proposed++));
    return null;
  }

  @Override
  String subject() {
    return protocols.toString();
  }
}
