package io.grpcstream.libp2p.security.noise;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpcstream.libp2p.security.noise.NoiseFixture.End;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import java.security.AlgorithmParameters;
import java.security.Key;
import java.security.Provider;
import java.security.ProviderException;
import java.security.SecureRandom;
import java.security.spec.AlgorithmParameterSpec;
import javax.crypto.CipherSpi;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** A provider may also fail by unchecked exceptions, as {@link ProviderException} is one. */
class FailingProviderTest {
  private final End end = new End(NoiseFixture.codecs(new Failing())[0]);

  @AfterEach
  void nothingIsLeftBehind() {
    end.channel.finishAndReleaseAll();
    assertThat(end.held()).isZero();
  }

  @Test
  @DisplayName("A write that cannot be encrypted fails and ends the connection")
  void writeThatCannotBeEncrypted() {
    ChannelFuture write = end.channel.writeAndFlush(Unpooled.wrappedBuffer(new byte[10]));
    assertThat(write.cause()).isInstanceOf(NoiseException.class).hasMessageContaining("no token");
    assertThat(end.failures).containsExactly(write.cause());
    assertThat(end.channel.isActive()).isFalse();
  }

  @Test
  @DisplayName("A record that cannot be decrypted ends the connection")
  void recordThatCannotBeDecrypted() {
    byte[] message = new byte[2 + 20];
    message[1] = 20;
    end.receive(message);
    assertThat(end.failures).hasSize(1);
    assertThat(end.failures.get(0))
        .isInstanceOf(NoiseException.class)
        .hasMessageContaining("no token");
    assertThat(end.channel.isActive()).isFalse();
  }

  private static final class Failing extends Provider {
    private static final long serialVersionUID = 1L;

    Failing() {
      super("Failing", "1", "fails");
      put("Cipher.ChaCha20-Poly1305", FailingCipher.class.getName());
    }
  }

  /** Takes keys, and fails as soon as it is to do something. */
  public static final class FailingCipher extends CipherSpi {
    @Override
    protected void engineSetMode(String mode) {}

    @Override
    protected void engineSetPadding(String padding) {}

    @Override
    protected int engineGetBlockSize() {
      return 0;
    }

    @Override
    protected int engineGetOutputSize(int inputLen) {
      throw new ProviderException("no token");
    }

    @Override
    protected byte[] engineGetIV() {
      return new byte[12];
    }

    @Override
    protected @Nullable AlgorithmParameters engineGetParameters() {
      return null;
    }

    @Override
    protected void engineInit(int mode, Key key, SecureRandom random) {}

    @Override
    protected void engineInit(
        int mode, Key key, AlgorithmParameterSpec parameters, SecureRandom random) {}

    @Override
    protected void engineInit(
        int mode, Key key, AlgorithmParameters parameters, SecureRandom random) {}

    @Override
    protected byte[] engineUpdate(byte[] in, int offset, int length) {
      throw new ProviderException("no token");
    }

    @Override
    protected int engineUpdate(byte[] in, int offset, int length, byte[] out, int outOffset) {
      throw new ProviderException("no token");
    }

    @Override
    protected byte[] engineDoFinal(byte[] in, int offset, int length) {
      throw new ProviderException("no token");
    }

    @Override
    protected int engineDoFinal(byte[] in, int offset, int length, byte[] out, int outOffset) {
      throw new ProviderException("no token");
    }
  }
}
