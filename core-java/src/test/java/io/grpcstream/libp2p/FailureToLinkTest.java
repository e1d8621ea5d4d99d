package io.grpcstream.libp2p;

import static io.grpcstream.libp2p.TestHosts.ECHO;
import static io.grpcstream.libp2p.TestHosts.address;
import static io.grpcstream.libp2p.TestHosts.await;
import static io.grpcstream.libp2p.TestHosts.echo;
import static io.grpcstream.libp2p.TestHosts.eventually;
import static io.grpcstream.libp2p.TestHosts.failure;
import static org.assertj.core.api.Assertions.assertThat;

import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.Provider;
import java.security.SecureRandom;
import java.security.spec.AlgorithmParameterSpec;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.crypto.Cipher;
import javax.crypto.CipherSpi;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * A library of another version than was compiled against shows only when a method is called that it
 * lacks, whenever that is. Whoever is concerned is told which method of which jar.
 */
class FailureToLinkTest {
  private static final String MISSING = "'void org.bouncycastle.Missing.method(int)'";

  private final TestHosts hosts = new TestHosts();
  private final AtomicBoolean missing = new AtomicBoolean();

  @AfterEach
  void close() {
    hosts.close();
  }

  private Host client() {
    return hosts.start(b -> b.security("/noise").cipherProvider(new Incomplete(missing)));
  }

  @Test
  void inAHandshakeItFailsTheDialWithMethodAndJar() {
    Host server = hosts.start();
    Host client = client();
    missing.set(true);

    assertThat(failure(client.newStream(address(server), ECHO)))
        .hasMessageContaining(server.peerId().toString())
        .hasMessageContaining("securing with /noise")
        .hasMessageContaining("NoSuchMethodError " + MISSING)
        .hasMessageContaining("bcprov-jdk18on-");
  }

  @Test
  @DisplayName("After the handshake, the connection ends, and the log tells method and JAR")
  void failureToLinkAfterTheHandshake() {
    Host server = hosts.start();
    Host client = client();
    Stream stream = await(client.newStream(address(server), ECHO));
    assertThat(echo(stream, "hello")).isEqualTo("hello");
    try (LogLines log = new LogLines()) {
      missing.set(true);
      failure(client.connections().get(0).newStream(ECHO));

      log.await("FAILED_HERE", server.peerId(), "NoSuchMethodError " + MISSING, "bcprov-jdk18on-");
    }
    eventually("the connection is gone", () -> client.connections().isEmpty());
    assertThat(client.stats().refusals(Refusal.FAILED_HERE)).isEqualTo(1);
    assertThat(client.stats().refusals(Refusal.PROTOCOL_VIOLATION)).isZero();
  }

  /** Has the JDK's cipher until a method of it is missing. */
  private static final class Incomplete extends Provider {
    private static final long serialVersionUID = 1L;

    Incomplete(AtomicBoolean missing) {
      super("Incomplete", "1", "lacks a method");
      putService(
          new Service(
              this,
              "Cipher",
              "ChaCha20-Poly1305",
              IncompleteCipher.class.getName(),
              List.of(),
              Map.of()) {
            @Override
            public Object newInstance(@Nullable Object parameter) {
              return new IncompleteCipher(missing);
            }
          });
    }
  }

  private static final class IncompleteCipher extends CipherSpi {
    private final AtomicBoolean missing;
    private final Cipher cipher;

    IncompleteCipher(AtomicBoolean missing) {
      this.missing = missing;
      try {
        cipher = Cipher.getInstance("ChaCha20-Poly1305");
      } catch (GeneralSecurityException e) {
        throw new AssertionError(e);
      }
    }

    private Cipher cipher() {
      if (missing.get()) {
        throw new NoSuchMethodError(MISSING);
      }
      return cipher;
    }

    @Override
    protected void engineSetMode(String mode) {}

    @Override
    protected void engineSetPadding(String padding) {}

    @Override
    protected int engineGetBlockSize() {
      return cipher().getBlockSize();
    }

    @Override
    protected int engineGetOutputSize(int inputLen) {
      return cipher().getOutputSize(inputLen);
    }

    @Override
    protected byte[] engineGetIV() {
      return cipher().getIV();
    }

    @Override
    protected @Nullable AlgorithmParameters engineGetParameters() {
      return cipher().getParameters();
    }

    @Override
    protected void engineInit(int mode, Key key, SecureRandom random) {
      throw new UnsupportedOperationException("a cipher without a nonce");
    }

    @Override
    protected void engineInit(
        int mode, Key key, AlgorithmParameterSpec parameters, SecureRandom random) {
      try {
        cipher().init(mode, key, parameters, random);
      } catch (GeneralSecurityException e) {
        throw new AssertionError(e);
      }
    }

    @Override
    protected void engineInit(
        int mode, Key key, AlgorithmParameters parameters, SecureRandom random) {
      throw new UnsupportedOperationException("encoded parameters");
    }

    @Override
    protected void engineUpdateAAD(byte[] data, int offset, int length) {
      cipher().updateAAD(data, offset, length);
    }

    @Override
    protected byte[] engineUpdate(byte[] in, int offset, int length) {
      return cipher().update(in, offset, length);
    }

    @Override
    protected int engineUpdate(byte[] in, int offset, int length, byte[] out, int outOffset) {
      throw new UnsupportedOperationException("piecewise");
    }

    @Override
    protected byte[] engineDoFinal(byte[] in, int offset, int length) {
      try {
        return cipher().doFinal(in, offset, length);
      } catch (GeneralSecurityException e) {
        throw new AssertionError(e);
      }
    }

    @Override
    protected int engineDoFinal(byte[] in, int offset, int length, byte[] out, int outOffset) {
      try {
        return cipher().doFinal(in, offset, length, out, outOffset);
      } catch (GeneralSecurityException e) {
        throw new AssertionError(e);
      }
    }
  }
}
