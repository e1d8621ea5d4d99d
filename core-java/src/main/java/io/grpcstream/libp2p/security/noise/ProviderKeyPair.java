package io.grpcstream.libp2p.security.noise;

import static io.grpcstream.libp2p.security.noise.NoiseCrypto.KEY_LENGTH;

import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.PublicKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import java.util.HexFormat;
import javax.crypto.KeyAgreement;

/** X25519 of a JCA provider. */
final class ProviderKeyPair implements DhKeyPair {
  private static final String X25519 = "X25519";

  // The DER around a raw X25519 key (RFC 8410). Unlike the JDK's key specs, these encodings mean
  // the same to every provider.
  private static final byte[] PUBLIC_DER = HexFormat.of().parseHex("302a300506032b656e032100");
  private static final byte[] PRIVATE_DER =
      HexFormat.of().parseHex("302e020100300506032b656e04220420");

  private final Provider provider;
  private final PrivateKey privateKey;
  private final byte[] publicKey;

  private ProviderKeyPair(Provider provider, PrivateKey privateKey, byte[] publicKey) {
    this.provider = provider;
    this.privateKey = privateKey;
    this.publicKey = publicKey;
  }

  /** Whether {@code provider} has all that is needed. */
  static boolean isOfferedBy(Provider provider) {
    return provider.getService("KeyAgreement", X25519) != null
        && provider.getService("KeyFactory", X25519) != null
        && provider.getService("KeyPairGenerator", X25519) != null;
  }

  static ProviderKeyPair generate(Provider provider) throws GeneralSecurityException {
    KeyPair pair = KeyPairGenerator.getInstance(X25519, provider).generateKeyPair();
    byte[] der = pair.getPublic().getEncoded();
    return new ProviderKeyPair(
        provider, pair.getPrivate(), Arrays.copyOfRange(der, der.length - KEY_LENGTH, der.length));
  }

  /** The key pair of a given 32-byte private key. */
  static ProviderKeyPair of(Provider provider, byte[] privateKey) throws GeneralSecurityException {
    PrivateKey key =
        KeyFactory.getInstance(X25519, provider)
            .generatePrivate(new PKCS8EncodedKeySpec(NoiseCrypto.concat(PRIVATE_DER, privateKey)));
    byte[] basePoint = new byte[KEY_LENGTH];
    basePoint[0] = 9;
    return new ProviderKeyPair(provider, key, agree(provider, key, basePoint));
  }

  @Override
  public byte[] publicKey() {
    return publicKey;
  }

  @Override
  public byte[] dh(byte[] remoteKey) throws GeneralSecurityException {
    return agree(provider, privateKey, remoteKey);
  }

  private static byte[] agree(Provider provider, PrivateKey privateKey, byte[] publicKey)
      throws GeneralSecurityException {
    PublicKey key =
        KeyFactory.getInstance(X25519, provider)
            .generatePublic(new X509EncodedKeySpec(NoiseCrypto.concat(PUBLIC_DER, publicKey)));
    KeyAgreement dh = KeyAgreement.getInstance(X25519, provider);
    dh.init(privateKey);
    dh.doPhase(key, true);
    byte[] secret = dh.generateSecret();
    if (MessageDigest.isEqual(secret, new byte[KEY_LENGTH])) {
      throw new InvalidKeyException("the shared secret is all zero");
    }
    return secret;
  }

  /** Does nothing: the key is the provider's, and few let theirs be destroyed. */
  @Override
  public void destroy() {}
}
