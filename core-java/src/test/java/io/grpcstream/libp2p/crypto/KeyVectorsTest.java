package io.grpcstream.libp2p.crypto;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What other implementations published about keys holds for ours. */
class KeyVectorsTest {
  static List<Vectors.Pair> pairs() {
    return Vectors.pairs();
  }

  static List<Vectors.Signed> signed() {
    return Vectors.signed();
  }

  @ParameterizedTest
  @MethodSource("pairs")
  @DisplayName("A private key of the spec gives its public key and its own bytes")
  void privateKeyOfTheSpec(Vectors.Pair pair) {
    PrivateKey key = PrivateKey.unmarshal(pair.privateKey());

    assertThat(key.type()).isEqualTo(pair.type());
    assertThat(key.marshal()).isEqualTo(pair.privateKey());
    assertThat(key.publicKey().marshal()).isEqualTo(pair.publicKey());
  }

  @ParameterizedTest
  @MethodSource("pairs")
  void publicKeyOfTheSpecGivesItsOwnBytes(Vectors.Pair pair) {
    PublicKey key = PublicKey.unmarshal(pair.publicKey());

    assertThat(key.type()).isEqualTo(pair.type());
    assertThat(key.marshal()).isEqualTo(pair.publicKey());
    assertThat(key).isEqualTo(PrivateKey.unmarshal(pair.privateKey()).publicKey());
  }

  @ParameterizedTest
  @MethodSource("signed")
  void signatureOfGoIsVerified(Vectors.Signed signed) {
    PublicKey key = PublicKey.unmarshal(signed.pair().publicKey());

    assertThat(key.verify(Vectors.SIGNED_MESSAGE, signed.signature())).isTrue();
    assertThat(key.verify(new byte[] {1}, signed.signature())).isFalse();
  }

  @ParameterizedTest
  @MethodSource("signed")
  @DisplayName("A signature is that of Go where the algorithm is deterministic")
  void signatureIsThatOfGo(Vectors.Signed signed) {
    PrivateKey key = PrivateKey.unmarshal(signed.pair().privateKey());
    byte[] signature = key.sign(Vectors.SIGNED_MESSAGE);

    assertThat(key.marshal()).isEqualTo(signed.pair().privateKey());
    assertThat(key.publicKey().marshal()).isEqualTo(signed.pair().publicKey());
    if (signed.pair().type() == KeyType.ECDSA) {
      assertThat(key.publicKey().verify(Vectors.SIGNED_MESSAGE, signature)).isTrue();
    } else {
      assertThat(signature).isEqualTo(signed.signature());
    }
  }

  /** RFC 8032, section 7.1, tests 2 and 3. */
  @ParameterizedTest
  @CsvSource({
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb,"
        + "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c,72,"
        + "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        + "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7,"
        + "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025,af82,"
        + "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        + "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
  })
  void ed25519SignsAsTheRfc(String seed, String point, String message, String signature) {
    PrivateKey key = Ed25519PrivateKey.parse(HexFormat.of().parseHex(seed + point));

    assertThat(key.publicKey().raw()).isEqualTo(Vectors.hex(point));
    assertThat(key.sign(Vectors.hex(message))).isEqualTo(Vectors.hex(signature));
    assertThat(key.publicKey().verify(Vectors.hex(message), Vectors.hex(signature))).isTrue();
  }

  @Test
  @DisplayName("An Ed25519 key with its public key twice is read, and written with it once")
  void ed25519KeyWithItsPublicKeyTwice() {
    Vectors.Pair pair = Vectors.pair(KeyType.ED25519);
    byte[] data = Arrays.copyOfRange(pair.privateKey(), 4, 68);
    byte[] old = Bytes.concat(data, Arrays.copyOfRange(data, 32, 64));

    PrivateKey key = PrivateKey.unmarshal(KeyProto.encode(KeyType.ED25519, old));

    assertThat(key.marshal()).isEqualTo(pair.privateKey());
  }

  @Test
  @DisplayName("secp256k1 signatures have the lower S, and the higher is accepted too")
  void secp256k1SignaturesHaveTheLowerS() {
    PrivateKey key = PrivateKey.generateSecp256k1();
    for (int i = 0; i < 20; i++) {
      byte[] message = {(byte) i};
      Der pair = Der.reader("test", key.sign(message)).enter(Der.SEQUENCE);
      BigInteger r = pair.unsigned();
      BigInteger s = pair.unsigned();

      assertThat(s).isLessThanOrEqualTo(Secp256k1.HALF_ORDER);
      byte[] high =
          Der.write(
              Der.SEQUENCE,
              Der.writeInteger(r),
              Der.writeInteger(Secp256k1.CURVE.getN().subtract(s)));
      assertThat(key.publicKey().verify(message, high)).isTrue();
    }
  }
}
