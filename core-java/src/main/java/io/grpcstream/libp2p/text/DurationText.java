package io.grpcstream.libp2p.text;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.time.Duration;

/**
 * Durations as people write them: {@code 90 s}, {@code 1.5 s}, {@code 300 ms}. To three digits, as
 * what is left of a time-out when a timer is set is never the round number that somebody chose.
 */
public final class DurationText {
  private static final MathContext THREE_DIGITS = new MathContext(3, RoundingMode.HALF_UP);
  private static final BigDecimal NANOS_PER_MILLI = BigDecimal.valueOf(1_000_000);
  private static final BigDecimal MILLIS_PER_SECOND = BigDecimal.valueOf(1_000);

  private DurationText() {}

  /** In seconds, or in milliseconds if it is less than one. */
  public static String of(Duration duration) {
    BigDecimal nanos =
        BigDecimal.valueOf(duration.getSeconds())
            .scaleByPowerOfTen(9)
            .add(BigDecimal.valueOf(duration.getNano()));
    BigDecimal millis = rounded(nanos.divide(NANOS_PER_MILLI));
    if (millis.signum() != 0 && millis.abs().compareTo(MILLIS_PER_SECOND) < 0) {
      return plain(millis) + " ms";
    }
    return plain(rounded(nanos.scaleByPowerOfTen(-9))) + " s";
  }

  /** The same of so many nanoseconds. */
  public static String ofNanos(long nanos) {
    return of(Duration.ofNanos(nanos));
  }

  /** To three digits, but not to less than the whole. */
  private static BigDecimal rounded(BigDecimal value) {
    return value.precision() - value.scale() > THREE_DIGITS.getPrecision()
        ? value.setScale(0, RoundingMode.HALF_UP)
        : value.round(THREE_DIGITS);
  }

  private static String plain(BigDecimal value) {
    return value.signum() == 0 ? "0" : value.stripTrailingZeros().toPlainString();
  }
}
