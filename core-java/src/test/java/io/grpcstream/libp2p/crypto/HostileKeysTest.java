package io.grpcstream.libp2p.crypto;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.math.BigInteger;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What strangers may send instead of keys and signatures. */
class HostileKeysTest {
  private static final BigInteger E = BigInteger.valueOf(65_537);

  static List<Vectors.Pair> pairs() {
    return Vectors.pairs();
  }

  @ParameterizedTest
  @ValueSource(ints = {2_048, 4_096, 8_192})
  void rsaKeyWithinBoundsIsAccepted(int bits) {
    PublicKey key = PublicKey.unmarshal(rsa(modulus(bits), E));

    assertThat(key.verify(new byte[1], new byte[bits / 8])).isFalse();
  }

  @ParameterizedTest
  @ValueSource(ints = {8, 512, 1_024, 2_047, 8_193, 16_384})
  void rsaKeyOutsideBoundsIsRefused(int bits) {
    refused(rsa(modulus(bits), E), "RSA public key: " + bits + " bits, accepted are 2048 to 8192");
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 1, 2, 65_536, 1L << 31 | 1, Long.MAX_VALUE})
  void rsaExponentOutsideBoundsIsRefused(long exponent) {
    refused(rsa(modulus(2_048), BigInteger.valueOf(exponent)), "RSA public key: the exponent");
  }

  @Test
  void evenRsaModulusIsRefused() {
    refused(rsa(modulus(2_048).subtract(BigInteger.ONE), E), "the modulus is even");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "''|no type field",
        "0801|no data field",
        "1220" + ZEROS + "|no type field",
        "08011220" + ZEROS + "0801|protobuf field 1 of wire type 0 is repeated",
        "08011220" + ZEROS + "1200|protobuf field 2 of wire type 2 is repeated",
        "08011220" + ZEROS + "1800|protobuf field 3 of wire type 0 is repeated or not part",
        "0a0108|protobuf field 1 of wire type 2",
        "08041220" + ZEROS + "|key: type 4 is not one of 0 to 3",
        "08ffffffffffffffffff011220" + ZEROS + "|key: type -1 is not one of 0 to 3",
        "08ffffffffffffffffffff01|malformed protobuf",
        "080112808080080000|malformed protobuf",
        "080112ffffffff0f00|malformed protobuf",
        "0801122100|malformed protobuf",
        "0801121f" + ZEROS + "|malformed protobuf",
        "0801120100|Ed25519 public key: 1 bytes, expected 32",
        "080212022100|secp256k1 public key: 2 bytes starting with 33",
        "08021200|secp256k1 public key: 0 bytes",
        "0802122105" + ZEROS + "|secp256k1 public key: 33 bytes starting with 5",
        "0802122102" + ONES + "|secp256k1 public key: not a point of the curve",
        "08031200|ECDSA public key: malformed DER at byte 0: tag 0x30 expected, found the end",
        "080312023080|a length of 0 bytes",
        "080312083084010000003000|a length of 4 bytes",
        "08031204308105ff|a length in more bytes than it needs",
        "080312033005ff|a length of 5 with 1 bytes left",
        "080012023100|RSA public key: malformed DER at byte 0: tag 0x30 expected, found 0x31"
      })
  void malformedKeyIsRefusedAndSaysWhy(String hex, String reason) {
    refused(Vectors.hex(hex), reason);
  }

  private static final String ZEROS =
      "0000000000000000000000000000000000000000000000000000000000000000";
  private static final String ONES =
      "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";

  @Test
  void keyLongerThanAnyKeyIsRefusedUnread() {
    refused(new byte[KeyProto.MAX_PUBLIC_BYTES + 1], "key: 4097 bytes, limit 4096");
    refused(new byte[16 << 20], "key: 16777216 bytes, limit 4096");
    assertThatExceptionOfType(KeyFormatException.class)
        .isThrownBy(() -> PrivateKey.unmarshal(new byte[KeyProto.MAX_PRIVATE_BYTES + 1]))
        .withMessage("key: 16385 bytes, limit 16384");
  }

  @Test
  void deeplyNestedDerIsRefusedWithoutRecursion() {
    byte[] nested = new byte[4_000];
    for (int i = 0; i < nested.length; i += 2) {
      nested[i] = 0x30;
      nested[i + 1] = (byte) 0x80;
    }
    refused(KeyProto.encode(KeyType.RSA, nested), "a length of 0 bytes");
    refused(KeyProto.encode(KeyType.ECDSA, nested), "a length of 0 bytes");
  }

  @Test
  void pointOffItsCurveAndUnknownCurvesAreRefused() {
    byte[] p256 = Vectors.pair(KeyType.ECDSA).publicKey();
    byte[] off = p256.clone();
    off[off.length - 1] ^= 1;
    refused(off, "ECDSA public key: not a point of P-256");
    byte[] compressed = p256.clone();
    compressed[30] = 2;
    refused(compressed, "ECDSA public key: not an uncompressed point");
    byte[] curve = p256.clone();
    curve[26] = 1;
    refused(curve, "the curve is none of P-256, P-384, P-521");
  }

  @Test
  void privateKeyAtOddsWithItselfIsRefused() {
    byte[] ed25519 = Vectors.pair(KeyType.ED25519).privateKey();
    byte[] changed = ed25519.clone();
    changed[40] ^= 1;
    refusedPrivate(changed, "the public key at byte 32 is not that of the seed");
    byte[] data = Arrays.copyOfRange(ed25519, 4, 68);
    refusedPrivate(
        KeyProto.encode(KeyType.ED25519, Bytes.concat(data, new byte[32])),
        "the public key at byte 64 is not that of the seed");
    refusedPrivate(KeyProto.encode(KeyType.ED25519, new byte[32]), "32 bytes, expected 64 or 96");

    byte[] ecdsa = Vectors.pair(KeyType.ECDSA).privateKey();
    ecdsa[12] ^= 1;
    refusedPrivate(ecdsa, "its public key is not that of its scalar");

    byte[] rsa = Vectors.pair(KeyType.RSA).privateKey();
    rsa[rsa.length - 3] ^= 1;
    refusedPrivate(rsa, "RSA private key: its numbers do not fit together");

    refusedPrivate(KeyProto.encode(KeyType.SECP256K1, new byte[32]), "zero, or not below");
    refusedPrivate(
        KeyProto.encode(KeyType.SECP256K1, Vectors.hex(ONES)), "zero, or not below the curve's");
    refusedPrivate(KeyProto.encode(KeyType.SECP256K1, new byte[31]), "31 bytes, expected 32");
  }

  @ParameterizedTest
  @MethodSource("pairs")
  void truncatedKeyIsRefused(Vectors.Pair pair) {
    for (int length = 0; length < pair.publicKey().length; length++) {
      byte[] cut = Arrays.copyOf(pair.publicKey(), length);
      assertThatExceptionOfType(KeyFormatException.class)
          .isThrownBy(() -> PublicKey.unmarshal(cut));
    }
    for (int length = 0; length < pair.privateKey().length; length += 1 + length / 64) {
      byte[] cut = Arrays.copyOf(pair.privateKey(), length);
      assertThatExceptionOfType(KeyFormatException.class)
          .isThrownBy(() -> PrivateKey.unmarshal(cut));
    }
  }

  @ParameterizedTest
  @MethodSource("pairs")
  @DisplayName("A key with changed bytes is another key, or the documented exception")
  void keyWithChangedBytes(Vectors.Pair pair) {
    Random random = new Random(20_251_121);
    int refused = 0;
    for (int i = 0; i < 2_000; i++) {
      byte[] changed = change(random, pair.publicKey());
      try {
        PublicKey key = PublicKey.unmarshal(changed);
        assertThat(PublicKey.unmarshal(key.marshal())).isEqualTo(key);
        assertThat(key.verify(new byte[1], new byte[64])).isFalse();
      } catch (KeyFormatException e) {
        refused++;
      }
    }
    for (int i = 0; i < 200; i++) {
      byte[] changed = change(random, pair.privateKey());
      try {
        PrivateKey key = PrivateKey.unmarshal(changed);
        assertThat(PrivateKey.unmarshal(key.marshal())).isEqualTo(key);
      } catch (KeyFormatException e) {
        refused++;
      }
    }
    assertThat(refused).isGreaterThan(100);
  }

  private static byte[] change(Random random, byte[] bytes) {
    byte[] changed = bytes.clone();
    for (int changes = random.nextInt(3); changes >= 0; changes--) {
      changed[random.nextInt(Math.min(48, bytes.length))] = (byte) random.nextInt(256);
    }
    return changed;
  }

  @ParameterizedTest
  @EnumSource
  void randomSignatureIsNotValidAndDoesNotThrow(KeyType type) {
    PrivateKey key = PrivateKey.unmarshal(Vectors.pair(type).privateKey());
    PublicKey publicKey = key.publicKey();
    byte[] message = {1};
    byte[] valid = key.sign(message);
    Random random = new Random(20_251_121);
    for (int i = 0; i < 300; i++) {
      byte[] signature = i % 2 == 0 ? new byte[random.nextInt(600)] : valid.clone();
      if (i % 2 == 0) {
        random.nextBytes(signature);
      } else {
        signature[random.nextInt(signature.length)] ^= (byte) (1 + random.nextInt(255));
      }
      assertThat(publicKey.verify(message, signature)).isFalse();
    }
    assertThat(publicKey.verify(message, new byte[0])).isFalse();
    assertThat(publicKey.verify(message, Vectors.hex("3006020100020100"))).isFalse();
    assertThat(publicKey.verify(message, Vectors.hex("3006020101020101"))).isFalse();
    assertThat(publicKey.verify(message, new byte[1 << 20])).isFalse();
  }

  @Test
  void ed25519BytesThatAreNoPointVerifyNothing() {
    Random random = new Random(20_251_121);
    PrivateKey signer = PrivateKey.generateEd25519();
    byte[] signature = signer.sign(new byte[1]);
    for (int i = 0; i < 300; i++) {
      byte[] point = new byte[32];
      random.nextBytes(point);
      PublicKey key = PublicKey.unmarshal(KeyProto.encode(KeyType.ED25519, point));
      assertThat(key.raw()).isEqualTo(point);
      assertThat(key.verify(new byte[1], signature)).isFalse();
    }
    PublicKey ones = PublicKey.unmarshal(KeyProto.encode(KeyType.ED25519, Vectors.hex(ONES)));
    assertThat(ones.raw()).isEqualTo(Vectors.hex(ONES));
    assertThat(ones.verify(new byte[1], signature)).isFalse();
  }

  private static void refused(byte[] publicKey, String reason) {
    assertThatExceptionOfType(KeyFormatException.class)
        .isThrownBy(() -> PublicKey.unmarshal(publicKey))
        .withMessageContaining(reason);
  }

  private static void refusedPrivate(byte[] privateKey, String reason) {
    assertThatExceptionOfType(KeyFormatException.class)
        .isThrownBy(() -> PrivateKey.unmarshal(privateKey))
        .withMessageContaining(reason);
  }

  /** An odd number of exactly that many bits. */
  private static BigInteger modulus(int bits) {
    return new BigInteger(bits, new Random(bits)).setBit(bits - 1).setBit(0);
  }

  private static byte[] rsa(BigInteger modulus, BigInteger exponent) {
    byte[] algorithm =
        Der.write(
            Der.SEQUENCE, Der.write(Der.OID, Vectors.hex("2a864886f70d010101")), Der.write(0x05));
    byte[] numbers = Der.write(Der.SEQUENCE, Der.writeInteger(modulus), Der.writeInteger(exponent));
    return KeyProto.encode(
        KeyType.RSA, Der.write(Der.SEQUENCE, algorithm, Der.writeBitString(numbers)));
  }
}
