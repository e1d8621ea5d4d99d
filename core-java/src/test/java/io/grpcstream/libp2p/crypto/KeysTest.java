package io.grpcstream.libp2p.crypto;

import static org.assertj.core.api.Assertions.assertThat;

import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.spec.ECGenParameterSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class KeysTest {
  /** One key of each type, and more of those that can be made. */
  static Stream<PrivateKey> keys() {
    return Stream.concat(
        Vectors.pairs().stream().map(pair -> PrivateKey.unmarshal(pair.privateKey())),
        Stream.of(PrivateKey.generateEd25519(), PrivateKey.generateSecp256k1()));
  }

  @ParameterizedTest
  @MethodSource("keys")
  void signatureIsValidForItsMessageAndKeyAlone(PrivateKey key) {
    byte[] message = {1, 2, 3};
    byte[] signature = key.sign(message);
    PublicKey publicKey = PublicKey.unmarshal(key.publicKey().marshal());

    assertThat(publicKey.verify(message, signature)).isTrue();
    assertThat(publicKey.verify(new byte[] {1, 2, 4}, signature)).isFalse();
    assertThat(publicKey.verify(new byte[0], signature)).isFalse();
    keys()
        .map(PrivateKey::publicKey)
        .filter(other -> !other.equals(publicKey))
        .forEach(other -> assertThat(other.verify(message, signature)).isFalse());
    for (int i = 0; i < signature.length; i += 3) {
      byte[] changed = signature.clone();
      changed[i] ^= 0x10;
      assertThat(publicKey.verify(message, changed)).as("byte %d changed", i).isFalse();
    }
    assertThat(publicKey.verify(message, Bytes.concat(signature, new byte[1]))).isFalse();
  }

  @ParameterizedTest
  @MethodSource("keys")
  void emptyMessageCanBeSigned(PrivateKey key) {
    assertThat(key.publicKey().verify(new byte[0], key.sign(new byte[0]))).isTrue();
  }

  @ParameterizedTest
  @MethodSource("keys")
  void keyReadBackIsEqualAndAnotherIsNot(PrivateKey key) {
    PrivateKey same = PrivateKey.unmarshal(key.marshal());
    PrivateKey other = PrivateKey.generateEd25519();

    assertThat(same).isEqualTo(key).hasSameHashCodeAs(key).isNotEqualTo(other);
    assertThat(same.publicKey())
        .isEqualTo(key.publicKey())
        .hasSameHashCodeAs(key.publicKey())
        .isNotEqualTo(other.publicKey());
    assertThat(same.type()).isEqualTo(same.publicKey().type()).isEqualTo(key.type());
  }

  @ParameterizedTest
  @MethodSource("keys")
  @DisplayName("The text shows the public key, and nothing of the private key")
  void textShowsThePublicKeyOnly(PrivateKey key) {
    String text = key.toString().toLowerCase(Locale.ROOT);
    String secret = HexFormat.of().formatHex(key.raw());

    assertThat(text)
        .contains("private key of")
        .contains(key.publicKey().toString().toLowerCase(Locale.ROOT));
    for (int i = 0; i + 8 <= Math.min(64, secret.length()); i++) {
      assertThat(text).doesNotContain(secret.substring(i, i + 8));
    }
  }

  @ParameterizedTest
  @MethodSource("keys")
  void returnedBytesAreCopies(PrivateKey key) {
    byte[] before = key.marshal();
    key.marshal()[8] ^= 1;
    key.raw()[8] ^= 1;
    key.publicKey().raw()[8] ^= 1;

    assertThat(key.marshal()).isEqualTo(before);
    assertThat(PrivateKey.unmarshal(before).publicKey()).isEqualTo(key.publicKey());
  }

  @Test
  void generatedKeysDiffer() {
    assertThat(Stream.generate(PrivateKey::generateEd25519).limit(20).distinct()).hasSize(20);
    assertThat(Stream.generate(PrivateKey::generateSecp256k1).limit(20).distinct()).hasSize(20);
  }

  @Test
  void uncompressedSecp256k1PointIsTheSameKey() {
    Secp256k1PublicKey key = (Secp256k1PublicKey) PrivateKey.generateSecp256k1().publicKey();
    byte[] uncompressed = Secp256k1.CURVE.getCurve().decodePoint(key.raw()).getEncoded(false);

    PublicKey same = PublicKey.unmarshal(KeyProto.encode(KeyType.SECP256K1, uncompressed));

    assertThat(uncompressed).hasSize(65);
    assertThat(same).isEqualTo(key);
    assertThat(same.marshal()).isEqualTo(key.marshal()).hasSize(37);
    assertThat(same.peerIdBytes()).isEqualTo(key.peerIdBytes());
  }

  @ParameterizedTest
  @CsvSource({
    "EC,secp256r1,SHA256withECDSA,ECDSA",
    "EC,secp384r1,SHA256withECDSA,ECDSA",
    "EC,secp521r1,SHA256withECDSA,ECDSA",
    "Ed25519,,Ed25519,ED25519"
  })
  void keyMadeByTheJdkVerifiesWhatTheJdkSigned(
      String algorithm, String curve, String signing, KeyType type) throws Exception {
    KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm);
    if (curve != null) {
      generator.initialize(new ECGenParameterSpec(curve));
    }
    KeyPair pair = generator.generateKeyPair();
    byte[] x509 = pair.getPublic().getEncoded();
    PublicKey key =
        type == KeyType.ECDSA
            ? PublicKey.unmarshal(KeyProto.encode(type, x509))
            : Ed25519PublicKey.parse(Arrays.copyOfRange(x509, 12, 44));
    byte[] message = {1, 2, 3};

    assertThat(key.verify(message, Jca.sign(signing, pair.getPrivate(), message))).isTrue();
    assertThat(key.type()).isEqualTo(type);
    assertThat(x509).endsWith(key.raw());
  }

  @ParameterizedTest
  @EnumSource
  void oneKeySignsAndVerifiesOnManyThreads(KeyType type) throws Exception {
    PrivateKey key = PrivateKey.unmarshal(Vectors.pair(type).privateKey());
    ExecutorService pool = Executors.newFixedThreadPool(4);
    try {
      List<Future<Boolean>> results = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        byte[] message = {(byte) i};
        results.add(pool.submit(() -> key.publicKey().verify(message, key.sign(message))));
      }
      for (Future<Boolean> result : results) {
        assertThat(result.get()).isTrue();
      }
    } finally {
      pool.shutdownNow();
    }
  }
}
