package io.grpcstream.libp2p.security.noise;

import static io.grpcstream.libp2p.security.noise.NoiseCrypto.KEY_LENGTH;

import java.io.ByteArrayOutputStream;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One run of the XX handshake, without I/O: the Noise framework's {@code HandshakeState} (section
 * 5.3). Three messages are written and read in turn, the initiator's first; then {@link #split()}
 * gives the keys of the connection. A failed call ends the handshake. Not thread-safe.
 */
final class NoiseHandshake {
  static final String PROTOCOL_NAME = "Noise_XX_25519_ChaChaPoly_SHA256";

  private enum Token {
    E,
    S,
    EE,
    ES,
    SE
  }

  private static final List<List<Token>> XX =
      List.of(
          List.of(Token.E),
          List.of(Token.E, Token.EE, Token.S, Token.ES),
          List.of(Token.S, Token.SE));

  private final boolean initiator;
  private final SymmetricState symmetric;
  private final DhKeyPair localStatic;
  private @Nullable DhKeyPair localEphemeral;
  private byte @Nullable [] remoteEphemeral;
  private byte @Nullable [] remoteStatic;
  private int message;

  /** A handshake with a fresh ephemeral key and libp2p's empty prologue. */
  NoiseHandshake(NoiseCrypto crypto, boolean initiator, DhKeyPair localStatic)
      throws GeneralSecurityException {
    this(crypto, initiator, localStatic, crypto.generateKeyPair(), new byte[0]);
  }

  /** A handshake with a given ephemeral key, which must not be used for another. */
  NoiseHandshake(
      NoiseCrypto crypto,
      boolean initiator,
      DhKeyPair localStatic,
      DhKeyPair ephemeral,
      byte[] prologue)
      throws GeneralSecurityException {
    this.initiator = initiator;
    this.localStatic = localStatic;
    this.localEphemeral = ephemeral;
    this.symmetric = new SymmetricState(crypto, PROTOCOL_NAME);
    symmetric.mixHash(prologue);
  }

  /** Whether it is this side's turn to write a message. */
  boolean mustWrite() {
    return !isComplete() && initiator == (message % 2 == 0);
  }

  /** Whether all messages have been written and read. */
  boolean isComplete() {
    return message == XX.size();
  }

  /** The number, from 1, of the message that comes next. */
  int nextMessage() {
    return message + 1;
  }

  /** WriteMessage. */
  byte[] writeMessage(byte[] payload) throws GeneralSecurityException {
    if (!mustWrite()) {
      throw new IllegalStateException("noise: message %d is not ours".formatted(nextMessage()));
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (Token token : XX.get(message)) {
      if (token == Token.E) {
        byte[] key = ephemeral().publicKey();
        out.writeBytes(key);
        symmetric.mixHash(key);
      } else if (token == Token.S) {
        out.writeBytes(symmetric.encryptAndHash(localStatic.publicKey()));
      } else {
        mixDh(token);
      }
    }
    out.writeBytes(symmetric.encryptAndHash(payload));
    message++;
    return out.toByteArray();
  }

  /**
   * ReadMessage.
   *
   * @return the payload; from message 2 on it is authenticated and secret
   * @throws GeneralSecurityException if the message was not made for this handshake
   */
  byte[] readMessage(byte[] in) throws GeneralSecurityException {
    if (mustWrite() || isComplete()) {
      throw new IllegalStateException("noise: message %d is ours".formatted(nextMessage()));
    }
    int position = 0;
    for (Token token : XX.get(message)) {
      if (token == Token.E) {
        remoteEphemeral = take(in, position, KEY_LENGTH);
        symmetric.mixHash(remoteEphemeral);
        position += KEY_LENGTH;
      } else if (token == Token.S) {
        int length = KEY_LENGTH + symmetric.overhead();
        remoteStatic = symmetric.decryptAndHash(take(in, position, length));
        position += length;
      } else {
        mixDh(token);
      }
    }
    byte[] payload = take(in, position, Math.max(symmetric.overhead(), in.length - position));
    byte[] plaintext = symmetric.decryptAndHash(payload);
    message++;
    return plaintext;
  }

  /** The static key the remote proved to hold, once it has been read. */
  byte[] remoteStatic() {
    return known(remoteStatic, "remote static key").clone();
  }

  /** A value that is unique to this handshake and known to both sides. */
  byte[] handshakeHash() {
    return symmetric.handshakeHash();
  }

  /** Ends a completed handshake: the cipher of this side's messages, then that of the remote's. */
  CipherState[] split() throws GeneralSecurityException {
    if (!isComplete()) {
      throw new IllegalStateException("noise: message %d is missing".formatted(nextMessage()));
    }
    CipherState[] ciphers = symmetric.split();
    destroy();
    return initiator ? ciphers : new CipherState[] {ciphers[1], ciphers[0]};
  }

  /** Forgets the keys. */
  void destroy() {
    symmetric.destroy();
    if (localEphemeral != null) {
      localEphemeral.destroy();
      localEphemeral = null;
    }
  }

  private void mixDh(Token token) throws GeneralSecurityException {
    // The first letter names the initiator's key, the second the responder's.
    boolean ourEphemeral = token == Token.EE || (token == Token.ES) == initiator;
    boolean theirEphemeral = token == Token.EE || (token == Token.SE) == initiator;
    DhKeyPair ours = ourEphemeral ? ephemeral() : localStatic;
    byte[] theirs =
        theirEphemeral
            ? known(remoteEphemeral, "remote ephemeral key")
            : known(remoteStatic, "remote static key");
    byte[] secret = ours.dh(theirs);
    symmetric.mixKey(secret);
    Arrays.fill(secret, (byte) 0);
  }

  private DhKeyPair ephemeral() {
    return known(localEphemeral, "ephemeral key");
  }

  private static <T> T known(@Nullable T value, String what) {
    if (value == null) {
      throw new IllegalStateException("noise: the handshake has no " + what);
    }
    return value;
  }

  private static byte[] take(byte[] in, int position, int length) throws GeneralSecurityException {
    if (in.length - position < length) {
      throw new GeneralSecurityException(
          "%,d bytes are too short, at least %,d are needed"
              .formatted(in.length, position + length));
    }
    return Arrays.copyOfRange(in, position, position + length);
  }
}
