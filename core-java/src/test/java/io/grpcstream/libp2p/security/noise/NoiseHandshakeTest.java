package io.grpcstream.libp2p.security.noise;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NoiseHandshakeTest {
  private final NoiseCrypto crypto = new NoiseCrypto(null);
  private final NoiseHandshake initiator = handshake(true);
  private final NoiseHandshake responder = handshake(false);

  private NoiseHandshake handshake(boolean first) {
    try {
      return new NoiseHandshake(crypto, first, crypto.generateKeyPair());
    } catch (GeneralSecurityException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void messagesMustAlternate() throws Exception {
    assertThatThrownBy(() -> responder.writeMessage(new byte[0]))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> initiator.readMessage(new byte[32]))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(initiator::split)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("message 1 is missing");
    initiator.writeMessage(new byte[0]);
    assertThatThrownBy(() -> initiator.writeMessage(new byte[0]))
        .isInstanceOf(IllegalStateException.class);
  }

  @ParameterizedTest(name = "a remote key of small order: {0}")
  @ValueSource(
      strings = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      })
  void keysThatForceAnAllZeroSecretAreRefused(String key) throws Exception {
    responder.readMessage(HexFormat.of().parseHex(key));
    assertThatThrownBy(() -> responder.writeMessage(new byte[0]))
        .isInstanceOf(GeneralSecurityException.class);
  }

  @Test
  void everyFlippedBitOfAnEncryptedMessageIsNoticed() throws Exception {
    responder.readMessage(initiator.writeMessage(new byte[0]));
    byte[] good = responder.writeMessage("payload".getBytes());
    for (int i = 0; i < good.length; i += 7) {
      NoiseCrypto.DhKeyPair ephemeral = crypto.generateKeyPair();
      NoiseHandshake first =
          new NoiseHandshake(crypto, true, crypto.generateKeyPair(), ephemeral, new byte[0]);
      NoiseHandshake second = handshake(false);
      second.readMessage(first.writeMessage(new byte[0]));
      byte[] message = second.writeMessage("payload".getBytes());
      message[i] ^= 0x04;
      assertThatThrownBy(() -> first.readMessage(message))
          .as("byte %d", i)
          .isInstanceOf(GeneralSecurityException.class);
    }
  }

  @Test
  void cutMessagesAreNoticed() throws Exception {
    byte[] first = initiator.writeMessage(new byte[0]);
    assertThatThrownBy(() -> responder.readMessage(Arrays.copyOf(first, 31)))
        .hasMessageContaining("31 bytes are too short, at least 32");
    responder.readMessage(first);
    byte[] second = responder.writeMessage(new byte[0]);
    assertThatThrownBy(() -> initiator.readMessage(Arrays.copyOf(second, 95)))
        .hasMessageContaining("95 bytes are too short, at least 96");
  }

  @Test
  void theLastNonceIsNeverUsed() throws Exception {
    CipherState cipher = new CipherState(crypto, new byte[32]);
    byte[] out = new byte[17];
    cipher.setNonce(-2);
    cipher.encrypt(new byte[1], 0, 1, out, 0);
    assertThatThrownBy(() -> cipher.encrypt(new byte[1], 0, 1, out, 0))
        .isInstanceOf(GeneralSecurityException.class)
        .hasMessageContaining("used up");
    cipher.destroy();
    assertThatThrownBy(() -> cipher.decrypt(out, 0, 17, new byte[1], 0))
        .hasMessageContaining("destroyed");
  }

  @Test
  void aProviderWithoutTheCipherIsRefused() {
    NoiseCrypto other = new NoiseCrypto(new EmptyProvider());
    assertThat(handshake(true).mustWrite()).isTrue();
    assertThatThrownBy(other::newCipher).isInstanceOf(GeneralSecurityException.class);
  }

  private static final class EmptyProvider extends java.security.Provider {
    private static final long serialVersionUID = 1L;

    EmptyProvider() {
      super("Empty", "1", "offers nothing");
    }
  }
}
