package io.grpcstream.libp2p.security.noise;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpcstream.libp2p.crypto.PrivateKey;
import io.grpcstream.libp2p.security.RemoteKeyCheck;
import io.grpcstream.libp2p.security.SecuredConnection;
import io.grpcstream.libp2p.security.noise.NoiseFixture.End;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.util.concurrent.Future;
import java.security.GeneralSecurityException;
import java.security.Provider;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class NoiseSecurityTest {
  private static final String YAMUX = "/yamux/1.0.0";
  private static final String MPLEX = "/mplex/6.7.0";
  private static final RemoteKeyCheck ANYONE = key -> {};

  private final PrivateKey dialerKey = PrivateKey.generateEd25519();
  private final PrivateKey listenerKey = PrivateKey.generateSecp256k1();
  private final NoiseSecurity dialerNoise = new NoiseSecurity(dialerKey);
  private final NoiseSecurity listenerNoise = new NoiseSecurity(listenerKey);
  private final End dialer = new End();
  private final End listener = new End();

  @AfterEach
  void nothingIsLeftBehind() {
    dialer.channel.finishAndReleaseAll();
    listener.channel.finishAndReleaseAll();
    assertThat(dialer.held()).isZero();
    assertThat(listener.held()).isZero();
  }

  private Future<SecuredConnection> dial(List<String> muxers, RemoteKeyCheck check) {
    return secure(dialerNoise, dialer, true, muxers, check);
  }

  private Future<SecuredConnection> listen(List<String> muxers, RemoteKeyCheck check) {
    return secure(listenerNoise, listener, false, muxers, check);
  }

  private static Future<SecuredConnection> secure(
      NoiseSecurity noise, End end, boolean initiator, List<String> muxers, RemoteKeyCheck check) {
    // The sink of the fixture must stay last, as a muxer would be added by a listener.
    var sink = end.channel.pipeline().removeLast();
    Future<SecuredConnection> secured = noise.secure(end.channel, initiator, muxers, check);
    secured.addListener(f -> end.channel.pipeline().addLast(sink));
    return secured;
  }

  private void exchange() {
    for (boolean moved = true; moved; ) {
      byte[] there = dialer.sent();
      listener.receive(there);
      byte[] back = listener.sent();
      dialer.receive(back);
      moved = there.length + back.length > 0;
    }
  }

  @Test
  void bothSidesLearnTheOthersKeyAndTheMuxer() throws Exception {
    Future<SecuredConnection> dialed = dial(List.of(YAMUX, MPLEX), ANYONE);
    Future<SecuredConnection> accepted = listen(List.of(MPLEX, YAMUX), ANYONE);
    exchange();

    assertThat(dialed.get()).isEqualTo(new SecuredConnection(listenerKey.publicKey(), YAMUX));
    assertThat(accepted.get()).isEqualTo(new SecuredConnection(dialerKey.publicKey(), YAMUX));
    assertThat(dialer.channel.pipeline().get(NoiseHandshakeHandler.class)).isNull();

    dialer.channel.writeAndFlush(Unpooled.copiedBuffer("ping", UTF_8));
    exchange();
    listener.channel.writeAndFlush(Unpooled.copiedBuffer("pong", UTF_8));
    exchange();
    assertThat(listener.received).hasToString("ping");
    assertThat(dialer.received).hasToString("pong");
  }

  @Test
  void anotherProviderTalksToTheDefaultOne() throws Exception {
    NoiseSecurity other = new NoiseSecurity(dialerKey, new BouncyCastleProvider());
    Future<SecuredConnection> dialed = secure(other, dialer, true, List.of(), ANYONE);
    listen(List.of(), ANYONE);
    exchange();
    assertThat(dialed.get().remoteKey()).isEqualTo(listenerKey.publicKey());
  }

  @Test
  @DisplayName("A connection costs one fresh key pair, its ephemeral one")
  void oneFreshKeyPairForAConnection() throws Exception {
    CountingProvider provider = new CountingProvider();
    NoiseSecurity noise = new NoiseSecurity(dialerKey, provider);
    provider.keyPairGenerators.set(0);

    Future<SecuredConnection> dialed = secure(noise, dialer, true, List.of(), ANYONE);
    listen(List.of(), ANYONE);
    exchange();

    assertThat(dialed.get().remoteKey()).isEqualTo(listenerKey.publicKey());
    assertThat(provider.keyPairGenerators).hasValue(1);
  }

  /** Bouncy Castle, with its key pair generators counted. */
  private static final class CountingProvider extends Provider {
    private static final long serialVersionUID = 1L;
    private final transient Provider delegate = new BouncyCastleProvider();
    private final transient AtomicInteger keyPairGenerators = new AtomicInteger();

    CountingProvider() {
      super("Counting", "1", "counts key pair generators");
    }

    @Override
    public Service getService(String type, String algorithm) {
      if (type.equals("KeyPairGenerator")) {
        keyPairGenerators.incrementAndGet();
      }
      return delegate.getService(type, algorithm);
    }
  }

  @Test
  @DisplayName("Without the extensions of one side, the muxer stays open")
  void muxerStaysOpenWithoutExtensions() throws Exception {
    Future<SecuredConnection> dialed = dial(List.of(YAMUX), ANYONE);
    Future<SecuredConnection> accepted = listen(List.of(), ANYONE);
    exchange();
    assertThat(dialed.get().muxer()).isNull();
    assertThat(accepted.get().muxer()).isNull();
  }

  @Test
  void noCommonMuxerFailsTheHandshake() {
    Future<SecuredConnection> dialed = dial(List.of(YAMUX), ANYONE);
    Future<SecuredConnection> accepted = listen(List.of(MPLEX), ANYONE);
    exchange();
    assertThat(dialed.cause())
        .isInstanceOf(NoiseException.class)
        .hasMessageContaining("no common stream muxer: ours [/yamux/1.0.0]");
    assertThat(accepted.isDone()).isFalse();
  }

  @Test
  void byteByByteItIsTheSame() throws Exception {
    Future<SecuredConnection> dialed = dial(List.of(YAMUX), ANYONE);
    Future<SecuredConnection> accepted = listen(List.of(YAMUX), ANYONE);
    for (int round = 0; round < 3; round++) {
      for (byte b : dialer.sent()) {
        listener.receive(new byte[] {b});
      }
      for (byte b : listener.sent()) {
        dialer.receive(new byte[] {b});
      }
    }
    assertThat(dialed.get().muxer()).isEqualTo(YAMUX);
    assertThat(accepted.get().muxer()).isEqualTo(YAMUX);
  }

  @Test
  @DisplayName("What listeners write is encrypted, and may arrive with the last message")
  void listenersWritesAreEncrypted() throws Exception {
    Future<SecuredConnection> dialed = dial(List.of(), ANYONE);
    dialed.addListener(
        f -> dialer.channel.writeAndFlush(Unpooled.copiedBuffer("first bytes", UTF_8)));
    listen(List.of(), ANYONE);
    listener.receive(dialer.sent());
    dialer.receive(listener.sent());

    byte[] lastMessageAndRecord = dialer.sent();
    assertThat(new String(lastMessageAndRecord, UTF_8)).doesNotContain("first bytes");
    listener.receive(lastMessageAndRecord);

    assertThat(listener.received).hasToString("first bytes");
    assertThat(listener.readCompletes).isEqualTo(1);
  }

  @Test
  @DisplayName("A dialer that meets the wrong peer sends no third message")
  void dialerThatMeetsTheWrongPeer() {
    Exception wrongPeer = new Exception("expected someone else");
    Future<SecuredConnection> dialed =
        dial(
            List.of(YAMUX),
            key -> {
              assertThat(key).isEqualTo(listenerKey.publicKey());
              throw wrongPeer;
            });
    Future<SecuredConnection> accepted = listen(List.of(YAMUX), ANYONE);
    listener.receive(dialer.sent());
    dialer.receive(listener.sent());

    assertThat(dialed.cause()).isSameAs(wrongPeer);
    assertThat(dialer.sent()).isEmpty();
    dialer.receive("ignored".getBytes(UTF_8));
    assertThat(dialer.received.size()).isZero();
    assertThat(accepted.isDone()).isFalse();
    listener.channel.close();
    assertThat(accepted.cause())
        .isInstanceOf(NoiseException.class)
        .hasMessageContaining("closed before handshake message 3, nothing received");
  }

  @Test
  void aListenerMayRefuseTheDialer() {
    Exception refused = new Exception("not welcome");
    Future<SecuredConnection> accepted =
        listen(
            List.of(),
            key -> {
              assertThat(key).isEqualTo(dialerKey.publicKey());
              throw refused;
            });
    dial(List.of(), ANYONE);
    exchange();
    assertThat(accepted.cause()).isSameAs(refused);
    assertThat(listener.channel.pipeline().get(NoiseCodec.class)).isNull();
  }

  @Test
  void aStaticKeySignedByAnotherIdentityIsRefused() throws Exception {
    // A man in the middle: shows the listener's key and signature, which are for its static key.
    NoiseCrypto crypto = new NoiseCrypto(null);
    byte[] stolen = new NoiseIdentity(crypto, listenerKey).payload(List.of());
    Future<SecuredConnection> dialed = dial(List.of(), ANYONE);
    dialer.receive(answer(crypto, dialer.sent(), stolen));

    assertThat(dialed.cause())
        .isInstanceOf(NoiseException.class)
        .hasMessageContaining("not signed by the SECP256K1 identity key");
    assertThat(dialer.sent()).isEmpty();
  }

  @Test
  void garbageInsteadOfAPayloadIsRefused() throws Exception {
    Future<SecuredConnection> dialed = dial(List.of(), ANYONE);
    dialer.receive(answer(new NoiseCrypto(null), dialer.sent(), "garbage".getBytes(UTF_8)));
    assertThat(dialed.cause())
        .isInstanceOf(NoiseException.class)
        .hasMessageContaining("payload is malformed");
  }

  @Test
  void garbageInsteadOfAnIdentityKeyIsRefused() throws Exception {
    Future<SecuredConnection> dialed = dial(List.of(), ANYONE);
    byte[] payload = new NoisePayload(new byte[] {9, 9}, new byte[64], List.of()).encode();
    dialer.receive(answer(new NoiseCrypto(null), dialer.sent(), payload));
    assertThat(dialed.cause())
        .isInstanceOf(NoiseException.class)
        .hasMessageContaining("identity key is malformed");
  }

  private static byte[] answer(NoiseCrypto crypto, byte[] frame, byte[] payload)
      throws GeneralSecurityException {
    NoiseHandshake responder = new NoiseHandshake(crypto, false, crypto.generateKeyPair());
    responder.readMessage(Arrays.copyOfRange(frame, 2, frame.length));
    byte[] message = responder.writeMessage(payload);
    byte[] length = {(byte) (message.length >> 8), (byte) message.length};
    return NoiseCrypto.concat(length, message);
  }

  @Test
  void aChangedMessageIsRefused() {
    Future<SecuredConnection> dialed = dial(List.of(), ANYONE);
    listen(List.of(), ANYONE);
    listener.receive(dialer.sent());
    byte[] second = listener.sent();
    second[second.length - 20] ^= 1;
    dialer.receive(second);
    assertThat(dialed.cause())
        .isInstanceOf(NoiseException.class)
        .hasMessageContaining("noise: handshake message 2");
  }

  @Test
  void aReplayedLastMessageIsRefused() {
    Future<SecuredConnection> accepted = listen(List.of(), ANYONE);
    dial(List.of(), ANYONE);
    byte[] first = dialer.sent();
    listener.receive(first);
    dialer.receive(listener.sent());
    byte[] last = dialer.sent();

    // The same messages to another listener, whose ephemeral key they are not for.
    End other = new End();
    Future<SecuredConnection> replayed = secure(listenerNoise, other, false, List.of(), ANYONE);
    other.receive(first);
    other.receive(last);

    assertThat(replayed.cause())
        .isInstanceOf(NoiseException.class)
        .hasMessageContaining("handshake message 3");
    assertThat(accepted.isDone()).isFalse();
    other.channel.finishAndReleaseAll();
    assertThat(other.held()).isZero();
  }

  @Test
  void anOversizeClaimIsRefusedBeforeTheBytesCome() {
    Future<SecuredConnection> accepted = listen(List.of(), ANYONE);
    listener.receive(new byte[] {0x20, 0x01});
    assertThat(accepted.cause())
        .isInstanceOf(NoiseException.class)
        .hasMessageContaining("8,193 bytes, the limit is 8,192");
  }

  @Test
  void aShortFirstMessageIsRefused() {
    Future<SecuredConnection> accepted = listen(List.of(), ANYONE);
    listener.receive(new byte[] {0, 0});
    assertThat(accepted.cause())
        .isInstanceOf(NoiseException.class)
        .hasMessageContaining("handshake message 1: 0 bytes are too short, at least 32");
  }

  @Test
  @DisplayName("Writes before the end fail, and nothing travels in clear")
  void writesBeforeTheEndFail() {
    dial(List.of(), ANYONE);
    byte[] first = dialer.sent();
    ChannelFuture early = dialer.channel.writeAndFlush(Unpooled.copiedBuffer("secret", UTF_8));
    assertThat(first).hasSize(34);
    assertThat(early.cause()).isInstanceOf(NoiseException.class).hasMessageContaining("before");
    assertThat(dialer.sent()).isEmpty();
  }

  @Test
  @DisplayName("It reads for itself while it needs bytes, and not afterwards")
  void readsForItselfWhileItNeedsBytes() {
    int[] reads = {0};
    listener
        .channel
        .pipeline()
        .addFirst(
            new ChannelOutboundHandlerAdapter() {
              @Override
              public void read(ChannelHandlerContext ctx) {
                reads[0]++;
                ctx.read();
              }
            });
    listener.channel.config().setAutoRead(false);
    Future<SecuredConnection> accepted = listen(List.of(), ANYONE);
    assertThat(reads[0]).isEqualTo(1);
    dial(List.of(), ANYONE);
    listener.receive(dialer.sent());
    assertThat(reads[0]).isEqualTo(2);
    dialer.receive(listener.sent());
    listener.receive(dialer.sent());

    assertThat(accepted.isSuccess()).isTrue();
    assertThat(reads[0]).isEqualTo(2);

    // Later, a read that was asked for is repeated until a whole record is there.
    dialer.channel.writeAndFlush(Unpooled.copiedBuffer("record", UTF_8));
    byte[] record = dialer.sent();
    listener.channel.read();
    listener.receive(Arrays.copyOf(record, 5));
    assertThat(reads[0]).isEqualTo(4);
    listener.receive(Arrays.copyOfRange(record, 5, record.length));
    assertThat(reads[0]).isEqualTo(4);
    assertThat(listener.received).hasToString("record");
  }
}
