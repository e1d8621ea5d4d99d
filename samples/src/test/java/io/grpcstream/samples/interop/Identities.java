package io.grpcstream.samples.interop;

import com.google.protobuf.CodedOutputStream;
import io.grpcstream.libp2p.crypto.PrivateKey;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyPairGenerator;
import java.security.interfaces.ECPrivateKey;
import java.security.spec.ECGenParameterSpec;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * Fresh identities of each kind, by the names of {@code --key}. ECDSA and RSA keys, which libp2p
 * keeps for old peers, are made by the JDK and put into libp2p's form (peer-ids.md, "Keys").
 */
final class Identities {
  private static final int RSA = 0;
  private static final int ECDSA = 3;
  private static final int RSA_BITS = 2048;
  private static final int P256_BYTES = 32;

  /** What comes before PKCS #1 in PKCS #8, for a key of that size. */
  private static final int PKCS8_HEADER = 26;

  private Identities() {}

  static PrivateKey fresh(String kind) {
    try {
      return switch (kind) {
        case "ed25519" -> PrivateKey.generateEd25519();
        case "secp256k1" -> PrivateKey.generateSecp256k1();
        case "ecdsa" -> ecdsa();
        case "rsa" -> rsa();
        default -> throw new IllegalArgumentException("no such kind of key: " + kind);
      };
    } catch (GeneralSecurityException | IOException e) {
      throw new IllegalStateException("cannot make a key: " + kind, e);
    }
  }

  private static PrivateKey ecdsa() throws GeneralSecurityException, IOException {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
    generator.initialize(new ECGenParameterSpec("secp256r1"));
    BigInteger scalar = ((ECPrivateKey) generator.generateKeyPair().getPrivate()).getS();
    byte[] number = new byte[P256_BYTES];
    byte[] digits = scalar.toByteArray(); // May have a leading zero, or fewer bytes.
    int length = Math.min(digits.length, number.length);
    System.arraycopy(digits, digits.length - length, number, number.length - length, length);
    // ECPrivateKey of RFC 5915: version 1, the scalar, the curve's object identifier.
    String hex = HexFormat.of().formatHex(number);
    return of(ECDSA, HexFormat.of().parseHex("30310201010420" + hex + "a00a06082a8648ce3d030107"));
  }

  private static PrivateKey rsa() throws GeneralSecurityException, IOException {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
    generator.initialize(RSA_BITS);
    byte[] pkcs8 = generator.generateKeyPair().getPrivate().getEncoded();
    return of(RSA, Arrays.copyOfRange(pkcs8, PKCS8_HEADER, pkcs8.length));
  }

  private static PrivateKey of(int type, byte[] data) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    CodedOutputStream message = CodedOutputStream.newInstance(bytes);
    message.writeEnum(1, type);
    message.writeByteArray(2, data);
    message.flush();
    return PrivateKey.unmarshal(bytes.toByteArray());
  }
}
