package io.grpcstream.libp2p.crypto;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;

/** Published keys and signatures, read from this package's test resources. */
final class Vectors {
  /** A key pair, both halves in hex. */
  record Pair(KeyType type, String privateHex, String publicHex) {
    byte[] privateKey() {
      return hex(privateHex);
    }

    byte[] publicKey() {
      return hex(publicHex);
    }
  }

  /** A key pair and a signature made with it. */
  record Signed(Pair pair, String signatureHex) {
    byte[] signature() {
      return hex(signatureHex);
    }
  }

  static final byte[] SIGNED_MESSAGE = "Libp2p is the _best_!".getBytes(StandardCharsets.UTF_8);

  private Vectors() {}

  /** The key pairs of peer-ids.md, one of each type. */
  static List<Pair> pairs() {
    List<String[]> rows = rows("peer-ids-vectors.txt");
    return List.of(
        pair(rows, KeyType.ECDSA),
        pair(rows, KeyType.ED25519),
        pair(rows, KeyType.SECP256K1),
        pair(rows, KeyType.RSA));
  }

  static Pair pair(KeyType type) {
    return pair(rows("peer-ids-vectors.txt"), type);
  }

  private static Pair pair(List<String[]> rows, KeyType type) {
    return new Pair(type, half(rows, type, "private"), half(rows, type, "public"));
  }

  private static String half(List<String[]> rows, KeyType type, String half) {
    return rows.stream()
        .filter(row -> row[0].equals(type.name()) && row[1].equals(half))
        .map(row -> row[2])
        .findFirst()
        .orElseThrow();
  }

  /** Signatures made by go-libp2p over {@link #SIGNED_MESSAGE}. */
  static List<Signed> signed() {
    return rows("go-libp2p-signatures.txt").stream()
        .map(row -> new Signed(new Pair(KeyType.valueOf(row[0]), row[1], row[2]), row[3]))
        .toList();
  }

  static byte[] hex(String text) {
    return HexFormat.of().parseHex(text);
  }

  private static List<String[]> rows(String resource) {
    try (InputStream in = Vectors.class.getResourceAsStream(resource)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .filter(line -> !line.startsWith("#"))
          .map(line -> line.split(" "))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
