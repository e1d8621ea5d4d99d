package io.grpcstream.libp2p.replay;

import java.nio.ByteBuffer;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyPairGeneratorSpi;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.Provider;
import java.security.SecureRandom;
import java.security.Security;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The JDK's functions for Noise, except that the X25519 keys it makes are the same, in their order,
 * in every run: so the messages of a handshake are the same, too. Never for anything but tests.
 */
final class FixedKeys extends Provider {
  private static final long serialVersionUID = 1;

  FixedKeys() {
    super("FixedKeys", "1", "X25519 keys that are known to all");
    putService(
        new Service(this, "KeyPairGenerator", "X25519", Generator.class.getName(), null, null) {
          private final SecureRandom random = new Counter();

          @Override
          public Object newInstance(@Nullable Object parameter) {
            return new Generator(random);
          }
        });
    delegate("KeyAgreement", "X25519");
    delegate("KeyFactory", "X25519");
    delegate("Cipher", "ChaCha20-Poly1305");
  }

  private void delegate(String type, String algorithm) {
    Service jdk =
        List.of(Security.getProviders()).stream()
            .map(provider -> provider.getService(type, algorithm))
            .filter(service -> service != null)
            .findFirst()
            .orElseThrow();
    putService(
        new Service(this, type, algorithm, jdk.getClassName(), List.of(), Map.of()) {
          @Override
          public Object newInstance(@Nullable Object parameter) throws NoSuchAlgorithmException {
            return jdk.newInstance(parameter);
          }
        });
  }

  private static final class Generator extends KeyPairGeneratorSpi {
    private final KeyPairGenerator jdk;

    Generator(SecureRandom random) {
      try {
        jdk = KeyPairGenerator.getInstance("X25519");
      } catch (NoSuchAlgorithmException e) {
        throw new IllegalStateException("the JDK has no X25519", e);
      }
      jdk.initialize(255, random);
    }

    @Override
    public void initialize(int size, SecureRandom random) {}

    @Override
    public KeyPair generateKeyPair() {
      return jdk.generateKeyPair();
    }
  }

  /** SHA-256 of 0, 1, 2 and so on. */
  private static final class Counter extends SecureRandom {
    private static final long serialVersionUID = 1;
    private int next;

    @Override
    public synchronized void nextBytes(byte[] bytes) {
      ByteBuffer out = ByteBuffer.wrap(bytes);
      try {
        while (out.hasRemaining()) {
          byte[] hash =
              MessageDigest.getInstance("SHA-256")
                  .digest(ByteBuffer.allocate(4).putInt(next++).array());
          out.put(hash, 0, Math.min(hash.length, out.remaining()));
        }
      } catch (NoSuchAlgorithmException e) {
        throw new IllegalStateException("the JDK has no SHA-256", e);
      }
    }
  }
}
