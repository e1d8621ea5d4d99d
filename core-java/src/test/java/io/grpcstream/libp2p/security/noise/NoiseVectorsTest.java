package io.grpcstream.libp2p.security.noise;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The published vectors of other implementations, of which the file names the source. */
class NoiseVectorsTest {
  private static List<JsonObject> vectors() throws IOException {
    List<JsonObject> vectors = new ArrayList<>();
    try (Reader in =
        new InputStreamReader(
            NoiseVectorsTest.class.getResourceAsStream("xx-vectors.json"),
            StandardCharsets.UTF_8)) {
      JsonParser.parseReader(in)
          .getAsJsonObject()
          .getAsJsonArray("vectors")
          .forEach(v -> vectors.add(v.getAsJsonObject()));
    }
    assertThat(vectors).hasSize(2);
    return vectors;
  }

  @ParameterizedTest
  @MethodSource("vectors")
  void everyMessageIsThatOfTheVector(JsonObject vector) throws Exception {
    play(vector, new NoiseCrypto(null));
  }

  @ParameterizedTest
  @MethodSource("vectors")
  void anotherProviderGivesTheSameMessages(JsonObject vector) throws Exception {
    play(vector, new NoiseCrypto(new BouncyCastleProvider()));
  }

  private static void play(JsonObject vector, NoiseCrypto crypto) throws Exception {
    assertThat(vector.get("protocol_name").getAsString()).isEqualTo(NoiseHandshake.PROTOCOL_NAME);
    NoiseHandshake initiator = handshake(vector, "init_", crypto, true);
    NoiseHandshake responder = handshake(vector, "resp_", crypto, false);
    List<JsonObject> messages = new ArrayList<>();
    vector.getAsJsonArray("messages").forEach(m -> messages.add(m.getAsJsonObject()));
    assertThat(messages).hasSizeGreaterThan(4);

    for (int i = 0; i < 3; i++) {
      byte[] payload = hex(messages.get(i), "payload");
      byte[] ciphertext = hex(messages.get(i), "ciphertext");
      NoiseHandshake writer = i == 1 ? responder : initiator;
      NoiseHandshake reader = i == 1 ? initiator : responder;
      assertThat(writer.writeMessage(payload)).isEqualTo(ciphertext);
      assertThat(reader.readMessage(ciphertext)).isEqualTo(payload);
    }
    assertThat(initiator.isComplete() && responder.isComplete()).isTrue();
    assertThat(initiator.handshakeHash()).isEqualTo(responder.handshakeHash());
    if (vector.has("handshake_hash")) {
      assertThat(initiator.handshakeHash()).isEqualTo(hex(vector, "handshake_hash"));
    }

    CipherState[] initiators = initiator.split();
    CipherState[] responders = responder.split();
    for (int i = 3; i < messages.size(); i++) {
      byte[] payload = hex(messages.get(i), "payload");
      byte[] ciphertext = hex(messages.get(i), "ciphertext");
      boolean byResponder = i % 2 == 1; // the third handshake message was the initiator's
      byte[] sealed = new byte[payload.length + 16];
      byte[] opened = new byte[payload.length];
      (byResponder ? responders : initiators)[0].encrypt(payload, 0, payload.length, sealed, 0);
      (byResponder ? initiators : responders)[1].decrypt(sealed, 0, sealed.length, opened, 0);
      assertThat(sealed).isEqualTo(ciphertext);
      assertThat(opened).isEqualTo(payload);
    }
  }

  private static NoiseHandshake handshake(
      JsonObject vector, String side, NoiseCrypto crypto, boolean initiator)
      throws GeneralSecurityException {
    DhKeyPair staticKey = crypto.keyPair(hex(vector, side + "static"));
    DhKeyPair ephemeral = crypto.keyPair(hex(vector, side + "ephemeral"));
    assertThat(Arrays.asList(staticKey.publicKey().length, ephemeral.publicKey().length))
        .containsOnly(32);
    return new NoiseHandshake(
        crypto, initiator, staticKey, ephemeral, hex(vector, side + "prologue"));
  }

  private static byte[] hex(JsonObject object, String name) {
    return HexFormat.of().parseHex(object.get(name).getAsString());
  }
}
