package io.grpcstream.libp2p.multistream;

import java.time.Duration;
import java.util.Collection;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The side that answers: the remote's header with its own, a supported protocol with its echo,
 * anything else with {@code na}. What arrives together is answered in one write. A remote that is
 * refused {@value #MAX_REFUSALS} times has had its chance: the future fails.
 */
public final class MultistreamResponder extends MultistreamSelector {
  /** How many proposals are answered {@code na} before the negotiation fails. */
  public static final int MAX_REFUSALS = 16;

  private final Predicate<String> supported;
  private int refused;
  private String lastRefused = "";

  /** Agrees to any of {@code supported}, within {@link #DEFAULT_TIMEOUT}. */
  public MultistreamResponder(Collection<String> supported) {
    this(Set.copyOf(supported)::contains, DEFAULT_TIMEOUT);
  }

  /**
   * Agrees to what {@code supported} accepts.
   *
   * @param supported called on the event loop with each proposed protocol id; must not block
   * @param timeout for the whole negotiation, from when the channel is active
   */
  public MultistreamResponder(Predicate<String> supported, Duration timeout) {
    super(timeout);
    this.supported = supported;
  }

  @Override
  void begin() {}

  @Override
  void headerReceived() {
    send(HEADER);
  }

  @Override
  @Nullable String receive(String message) throws MultistreamException {
    if (supported.test(message)) {
      send(message);
      return message;
    }
    send(NOT_AVAILABLE);
    lastRefused = message;
    if (++refused == MAX_REFUSALS) {
      throw new MultistreamException(
          "the remote proposed %d protocols that are not supported".formatted(MAX_REFUSALS));
    }
    return null;
  }

  @Override
  String subject() {
    return refused == 0
        ? "any supported protocol"
        : "any supported protocol (refused %d, the last %s)"
            .formatted(refused, MultistreamMessage.quote(lastRefused));
  }
}
