package io.grpcstream.libp2p.multiformats;

import java.util.Base64;

/**
 * Text whose first character names its base. The bases read are those that peers use for peer ids
 * and certificate hashes: base32, base36, base58btc and base64url.
 *
 * @see <a href="https://github.com/multiformats/multibase">multibase</a>
 */
public final class Multibase {
  private static final int MAX_CHARS = 256;

  private Multibase() {}

  /**
   * The bytes of {@code text}.
   *
   * @throws IllegalArgumentException if the base is not one of those above, or the text is too long
   *     or no such text
   */
  public static byte[] decode(String text) {
    if (text.isEmpty()) {
      throw new IllegalArgumentException("empty, where a multibase prefix should stand");
    }
    String digits = text.substring(1);
    return switch (text.charAt(0)) {
      case 'b', 'B' -> Base32.decode(digits);
      case 'k', 'K' -> RadixEncoding.BASE36.decode(digits);
      case 'z' -> RadixEncoding.BASE58BTC.decode(digits);
      case 'u' -> base64url(digits);
      default ->
          throw new IllegalArgumentException(
              "multibase prefix "
                  + Quote.of(text.charAt(0))
                  + " is none of b (base32), k (base36), z (base58btc), u (base64url)");
    };
  }

  /** {@code bytes} in base64url without padding, after its prefix {@code u}. */
  public static String encodeBase64url(byte[] bytes) {
    return 'u' + Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }

  private static byte[] base64url(String digits) {
    if (digits.length() > MAX_CHARS) {
      throw new IllegalArgumentException(
          "base64url: " + digits.length() + " characters, limit " + MAX_CHARS);
    }
    try {
      return Base64.getUrlDecoder().decode(digits);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "base64url: " + Quote.plain(String.valueOf(e.getMessage())), e);
    }
  }
}
