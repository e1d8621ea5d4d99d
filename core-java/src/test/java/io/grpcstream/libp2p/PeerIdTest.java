package io.grpcstream.libp2p;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.grpcstream.libp2p.crypto.KeyType;
import io.grpcstream.libp2p.crypto.PrivateKey;
import io.grpcstream.libp2p.crypto.PublicKey;
import io.grpcstream.libp2p.multiformats.RadixEncoding;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PeerIdTest {
  private static final String ED25519 = "12D3KooWCryG7Mon9orvQxcS1rYZjotPgpwoJNHHKcLLfE4Hf5mV";

  /** The same peer ids in all their text forms; from peer-ids.md and go-multiaddr's tests. */
  @ParameterizedTest
  @CsvSource({
    "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N,"
        + "bafzbeie5745rpv2m6tjyuugywy4d5ewrqgqqhfnf445he3omzpjbx5xqxe,",
    "QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC,"
        + "bafzbeigvf25ytwc3akrijfecaotc74udrhcxzh2cx3we5qqnw5vgrei4bm,"
        + "k2k4r8oqamigqdo6o7hsbfwd45y70oyynp98usk7zmyfrzpqxh1pohl7",
    "12D3KooWCryG7Mon9orvQxcS1rYZjotPgpwoJNHHKcLLfE4Hf5mV,"
        + "bafzaajaiaejcalj543iwv2d7pkjt7ykvefrkfu7qjfi6sduakhso4lay6abn2d5u,"
        + "k51qzi5uqu5dhb6l8spkdx7yxafegfkee5by8h7lmjh2ehc2sgg34z7c15vzqs"
  })
  void everyTextFormIsTheSamePeer(String base58, String base32, String base36) {
    PeerId peer = PeerId.parse(base58);

    assertThat(peer).hasToString(base58);
    assertThat(peer.toCid()).isEqualTo(base32);
    assertThat(PeerId.parse(base32)).isEqualTo(peer).hasSameHashCodeAs(peer);
    assertThat(PeerId.parse('B' + base32.substring(1).toUpperCase(Locale.ROOT))).isEqualTo(peer);
    if (base36 != null) {
      assertThat(PeerId.parse(base36)).isEqualTo(peer);
      assertThat(PeerId.parse('K' + base36.substring(1).toUpperCase(Locale.ROOT))).isEqualTo(peer);
    }
    byte[] cid = io.grpcstream.libp2p.multiformats.Base32.decode(base32.substring(1));
    assertThat(PeerId.parse('z' + RadixEncoding.BASE58BTC.encode(cid))).isEqualTo(peer);
    assertThat(PeerId.fromBytes(peer.bytes())).isEqualTo(peer);
  }

  /** The keys are those of peer-ids.md. */
  @ParameterizedTest
  @CsvSource({
    "080112201ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e,12D3KooW",
    "08021221037777e994e452c21604f91de093ce415f5432f701dd8cd1a7a6fea0e630bfca99,16Uiu2HA"
  })
  void idOfAShortKeyHoldsTheKey(String key, String prefix) {
    PublicKey publicKey = PublicKey.unmarshal(HexFormat.of().parseHex(key));
    PeerId peer = PeerId.of(publicKey);

    assertThat(peer.toString()).startsWith(prefix);
    assertThat(HexFormat.of().formatHex(peer.bytes()))
        .isEqualTo("00" + HexFormat.of().toHexDigits((byte) (key.length() / 2)) + key);
    assertThat(peer.extractPublicKey()).contains(publicKey);
  }

  @Test
  void idOfALongKeyIsItsSha256() throws Exception {
    String key =
        "0803125b3059301306072a8648ce3d020106082a8648ce3d03010703420004de3d300fa36ae0e8f5d530899d83"
            + "abab44abf3161f162a4bc901d8e6ecda020e8b6d5f8da30525e71d6851510c098e5c47c646a597fb4dce"
            + "c034e9f77c409e62";
    byte[] marshalled = HexFormat.of().parseHex(key);
    PeerId peer = PeerId.of(PublicKey.unmarshal(marshalled));

    assertThat(peer.toString()).startsWith("Qm");
    assertThat(Arrays.copyOfRange(peer.bytes(), 2, 34))
        .isEqualTo(java.security.MessageDigest.getInstance("SHA-256").digest(marshalled));
    assertThat(peer.extractPublicKey()).isEmpty();
  }

  @Test
  @DisplayName("The ID of a key in another form is that of its deterministic form")
  void idOfAKeyInAnotherForm() {
    PublicKey key = PrivateKey.generateEd25519().publicKey();
    String data = HexFormat.of().formatHex(key.raw());
    // The data field first, and the type as a varint of three bytes.
    PublicKey sameKey = PublicKey.unmarshal(HexFormat.of().parseHex("1220" + data + "08818000"));

    assertThat(sameKey).isEqualTo(key).hasSameHashCodeAs(key);
    assertThat(PeerId.of(sameKey)).isEqualTo(PeerId.of(key));
  }

  @Test
  void idThatHoldsAKeyInAnotherFormGivesNoKey() {
    PublicKey key = PrivateKey.generateEd25519().publicKey();
    String data = HexFormat.of().formatHex(key.raw());
    PeerId peer = PeerId.fromBytes(HexFormat.of().parseHex("00241220" + data + "0801"));

    assertThat(peer.extractPublicKey()).isEmpty();
    assertThat(PeerId.fromBytes(new byte[] {0, 1, 7}).extractPublicKey()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "''|empty",
        "0|multibase prefix '0'",
        "Qm|multihash code 0x5",
        "QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNK0|'0' at position 46 is not a digit",
        "QmxoHT6iViN5xAjoz1VZ553cL31U9F94ht3QvWR1FrEbZY|length",
        "bafkreifoybygix7fh3r3g5rqle3wcnhqldgdg4shzf4k3ulyw3gn7mabt4|codec 0x55, expected libp2p",
        "bafzbeie5745rpv2m6tjyuugywy4d5ewrqgqqhfnf445he3omzpjbx5xqx|end in bits that stand for no"
            + " byte",
        "bafzbeie5745rpv2m6tjyuugywy4d5ewrqgqqhfnf445he3omzpjbx5xqx1|'1' at position 58",
        "z|varint cut short",
        "k!|'!' at position 1 is not a digit",
        "1AjM|multihash",
        "ipfs|multibase prefix 'i'"
      })
  void badTextIsRefusedAndSaysWhy(String text, String reason) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> PeerId.parse(text))
        .withMessageStartingWith("peer id \"" + text + "\": ")
        .withMessageContaining(reason);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "''|cut short",
        "00|cut short",
        "0000|identity multihash of 0 bytes",
        "000401020304aa|length 4, but 5 bytes follow",
        "0005010203|length 5, but 3 bytes follow",
        "12021234|sha2-256 multihash of 2 bytes",
        "13021234|code 0x13",
        "92000212|not minimal",
        "00ffffffffffffff7f|but 0 bytes follow",
        "ffffffffffffffffffff01|longer than 9 bytes"
      })
  void badBytesAreRefusedAndSayWhy(String hex, String reason) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> PeerId.fromBytes(HexFormat.of().parseHex(hex)))
        .withMessageStartingWith("peer id bytes: ")
        .withMessageContaining(reason);
  }

  @Test
  void identityMultihashMayHold42BytesAndNoMore() {
    byte[] bytes = new byte[44];
    bytes[1] = 42;
    assertThat(PeerId.fromBytes(bytes).bytes()).isEqualTo(bytes);

    byte[] longer = new byte[45];
    longer[1] = 43;
    assertThatIllegalArgumentException().isThrownBy(() -> PeerId.fromBytes(longer));
  }

  @Test
  @DisplayName("Long text is refused before it is decoded, and not repeated in full")
  void longTextIsRefusedUndecoded() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> PeerId.parse("1".repeat(1 << 20)))
        .satisfies(e -> assertThat(e.getMessage()).hasSizeLessThan(400).contains("1048576"));
    assertThatIllegalArgumentException().isThrownBy(() -> PeerId.parse("k" + "z".repeat(1 << 20)));
    assertThatIllegalArgumentException().isThrownBy(() -> PeerId.parse("b" + "a".repeat(1 << 20)));
    assertThatIllegalArgumentException().isThrownBy(() -> PeerId.parse("u" + "a".repeat(1 << 20)));
  }

  @Test
  @DisplayName("Random bytes and texts give a peer ID, or the documented exception")
  void randomBytesAndTextsAsPeerIds() {
    Random random = new Random(20_251_121);
    int accepted = 0;
    for (int i = 0; i < 20_000; i++) {
      byte[] bytes = new byte[random.nextInt(60)];
      random.nextBytes(bytes);
      if (i % 2 == 0 && bytes.length > 2 && bytes.length < 45) {
        bytes[0] = 0;
        bytes[1] = (byte) (bytes.length - 2);
      }
      try {
        PeerId peer = PeerId.fromBytes(bytes);
        accepted++;
        assertThat(PeerId.parse(peer.toString())).isEqualTo(peer);
        assertThat(PeerId.parse(peer.toCid())).isEqualTo(peer);
        assertThat(peer.extractPublicKey()).isEmpty();
      } catch (IllegalArgumentException e) {
        assertThat(e).hasMessageStartingWith("peer id bytes: ");
      }
    }
    assertThat(accepted).isGreaterThan(5_000);
  }

  @Test
  void peersAreOrderedByTheirBytes() {
    PeerId low = PeerId.fromBytes(new byte[] {0, 1, 5});
    PeerId high = PeerId.fromBytes(new byte[] {0, 1, (byte) 0x85});
    PeerId hashed = PeerId.parse("QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N");

    assertThat(List.of(hashed, high, low).stream().sorted()).containsExactly(low, high, hashed);
    assertThat(low).isEqualByComparingTo(PeerId.fromBytes(low.bytes())).isNotEqualTo(high);
  }

  @Test
  void shortStringKeepsTheEndThatDiffers() {
    assertThat(PeerId.parse(ED25519).shortString()).isEqualTo("12D3…4Hf5mV");
  }

  @Test
  void bytesAreACopy() {
    PeerId peer = PeerId.of(PrivateKey.generateSecp256k1().publicKey());
    peer.bytes()[5] ^= 1;

    assertThat(PeerId.parse(peer.toString())).isEqualTo(peer);
    assertThat(peer.extractPublicKey().orElseThrow().type()).isEqualTo(KeyType.SECP256K1);
  }

  @Test
  @DisplayName("A peer ID that lost a part is shown, and said not to be whole")
  void peerIdThatLostAPart() {
    for (String cut :
        List.of(
            ED25519.substring(0, 49),
            ED25519.substring(0, 20),
            "16Uiu2HAmS7rTNrMrLD",
            "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx",
            "bafzaajaiaejcalj543iwv2d7pkjt7ykvefrkfu7qjfi6sduakhso4lay6abn2")) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> PeerId.parse(cut))
          .withMessageContaining("not a whole peer id")
          .withMessageContaining(cut);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> Multiaddr.parse("/ip4/192.0.2.1/tcp/1/p2p/" + cut))
          .withMessageContaining("not a whole peer id");
    }
  }
}
