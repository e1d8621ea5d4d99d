package io.grpcstream.libp2p.multiformats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TextEncodingsTest {
  /** From the base58 draft (draft-msporny-base58, section 5) and Bitcoin Core's tests. */
  @ParameterizedTest
  @CsvSource({
    "'',''",
    "00,1",
    "61,2g",
    "626262,a3gV",
    "0000287fb4cd,11233QC4",
    "48656c6c6f20576f726c6421,2NEpo7TZRRrLZSi2U",
    "00eb15231dfceb60925886b67d065299925915aeb172c06647,1NS17iag9jJgTHD1VXjvLCEnZuQ3rJDE9L",
    "00000000000000000000,1111111111"
  })
  void base58MatchesThePublishedExamples(String hex, String text) {
    byte[] bytes = HexFormat.of().parseHex(hex);

    assertThat(RadixEncoding.BASE58BTC.encode(bytes)).isEqualTo(text);
    assertThat(RadixEncoding.BASE58BTC.decode(text)).isEqualTo(bytes);
  }

  /** From the multibase specification's test vectors ("yes mani !", with leading zeros). */
  @ParameterizedTest
  @CsvSource({
    "796573206d616e692021,bpfsxgidnmfxgsibb,k2lcpzo5yikidynfl,z7paNL19xttacUY,ueWVzIG1hbmkgIQ",
    "00796573206d616e692021,bab4wk4zanvqw42jaee,k02lcpzo5yikidynfl,z17paNL19xttacUY,"
        + "uAHllcyBtYW5pICE",
    "0000796573206d616e692021,baaahszltebwwc3tjeaqq,k002lcpzo5yikidynfl,z117paNL19xttacUY,"
        + "uAAB5ZXMgbWFuaSAh"
  })
  void multibaseMatchesThePublishedExamples(
      String hex, String base32, String base36, String base58, String base64url) {
    byte[] bytes = HexFormat.of().parseHex(hex);

    assertThat('b' + Base32.encode(bytes)).isEqualTo(base32);
    assertThat('k' + RadixEncoding.BASE36.encode(bytes)).isEqualTo(base36);
    assertThat('z' + RadixEncoding.BASE58BTC.encode(bytes)).isEqualTo(base58);
    assertThat(Multibase.encodeBase64url(bytes)).isEqualTo(base64url);
    for (String text : new String[] {base32, base36, base58, base64url}) {
      assertThat(Multibase.decode(text)).isEqualTo(bytes);
    }
  }

  /** RFC 4648, section 10, in lower case and without padding. */
  @ParameterizedTest
  @CsvSource({
    "'',''",
    "f,my",
    "fo,mzxq",
    "foo,mzxw6",
    "foob,mzxw6yq",
    "fooba,mzxw6ytb",
    "foobar,mzxw6ytboi"
  })
  void base32MatchesTheRfc(String plain, String text) {
    byte[] bytes = plain.getBytes(StandardCharsets.US_ASCII);

    assertThat(Base32.encode(bytes)).isEqualTo(text);
    assertThat(Base32.decode(text)).isEqualTo(bytes);
    assertThat(Base32.decode(text.toUpperCase(Locale.ROOT))).isEqualTo(bytes);
  }

  @ParameterizedTest
  @ValueSource(strings = {"m", "mz1", "mzx", "mzxw6y", "mz", "mzxr", "my======", "é"})
  void base32ThatStandsForNoBytesIsRefused(String text) {
    assertThatIllegalArgumentException().isThrownBy(() -> Base32.decode(text));
  }

  @Test
  void randomBytesReadBack() {
    Random random = new Random(20_251_121);
    for (int i = 0; i < 5_000; i++) {
      byte[] bytes = new byte[random.nextInt(64)];
      random.nextBytes(bytes);
      for (int zeros = random.nextInt(4); zeros > 0 && zeros <= bytes.length; zeros--) {
        bytes[zeros - 1] = 0;
      }
      assertThat(RadixEncoding.BASE58BTC.decode(RadixEncoding.BASE58BTC.encode(bytes)))
          .isEqualTo(bytes);
      assertThat(RadixEncoding.BASE36.decode(RadixEncoding.BASE36.encode(bytes))).isEqualTo(bytes);
      assertThat(Base32.decode(Base32.encode(bytes))).isEqualTo(bytes);
      assertThat(Multibase.decode(Multibase.encodeBase64url(bytes))).isEqualTo(bytes);
    }
  }

  @Test
  void lengthIsBounded() {
    assertThat(RadixEncoding.BASE58BTC.decode("2".repeat(128))).isNotEmpty();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> RadixEncoding.BASE58BTC.decode("2".repeat(129)))
        .withMessage("base58btc: 129 characters, limit 128");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> RadixEncoding.BASE36.encode(new byte[97]))
        .withMessage("base36: 97 bytes to encode, limit 96");
    assertThatIllegalArgumentException().isThrownBy(() -> Base32.decode("a".repeat(257)));
  }

  /** RFC 5952, sections 4 and 5, and RFC 4291, section 2.2. */
  @ParameterizedTest
  @CsvSource({
    "2001:db8:0:0:1:0:0:1,2001:db8::1:0:0:1",
    "2001:0db8::0001,2001:db8::1",
    "2001:db8:0:1:1:1:1:1,2001:db8:0:1:1:1:1:1",
    "2001:0:0:1:0:0:0:1,2001:0:0:1::1",
    "2001:DB8::A,2001:db8::a",
    "0:0:0:0:0:0:0:0,::",
    "0:0:0:0:0:0:0:1,::1",
    "1:0:0:0:0:0:0:0,1::",
    "::ffff:192.0.2.1,::ffff:192.0.2.1",
    "0:0:0:0:0:ffff:c000:0201,::ffff:192.0.2.1",
    "64:ff9b::192.0.2.33,64:ff9b::c000:221",
    "1:2:3:4:5:6:1.2.3.4,1:2:3:4:5:6:102:304",
    "1:2:3:4:5:6:7::,1:2:3:4:5:6:7:0",
    "::2:3:4:5:6:7:8,0:2:3:4:5:6:7:8"
  })
  void ip6IsWrittenAsTheRfcRecommends(String text, String canonical) {
    byte[] address = IpText.parseIp6(text);

    assertThat(IpText.formatIp6(address)).isEqualTo(canonical);
    assertThat(IpText.parseIp6(canonical)).isEqualTo(address);
  }

  @Test
  void randomIp6AddressesReadBackAndAgreeWithTheJdk() throws Exception {
    Random random = new Random(20_251_121);
    for (int i = 0; i < 5_000; i++) {
      byte[] address = new byte[16];
      for (int group = 0; group < 8; group++) {
        if (random.nextInt(3) == 0) {
          address[2 * group + 1] = (byte) random.nextInt();
          address[2 * group] = (byte) (random.nextBoolean() ? random.nextInt() : 0);
        }
      }
      address[0] |= 0x20; // the JDK turns IPv4-mapped addresses into IPv4 ones
      String text = IpText.formatIp6(address);
      assertThat(IpText.parseIp6(text)).isEqualTo(address);
      assertThat(java.net.InetAddress.getByName(text).getAddress()).isEqualTo(address);
    }
  }

  @Test
  void quotedTextIsBoundedAndOnOneLine() {
    assertThat(Quote.of("a\nb\u0000")).isEqualTo("\"a\\u000ab\\u0000\"");
    assertThat(Quote.of("x".repeat(1_000))).hasSizeLessThan(200).endsWith("… (1000 characters)\"");
  }
}
