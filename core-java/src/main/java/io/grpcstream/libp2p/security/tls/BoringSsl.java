package io.grpcstream.libp2p.security.tls;

import io.grpcstream.libp2p.crypto.PrivateKey;
import io.grpcstream.libp2p.libraries.Libraries;
import io.grpcstream.libp2p.security.tls.PeerVerifier.Handshake;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.SslProvider;
import io.netty.util.ReferenceCountUtil;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.util.List;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether this JVM has a BoringSSL that works. That it can be loaded does not say so: Netty calls
 * methods that an older netty-tcnative lacks, some of them at the end of a handshake only. So it is
 * tried out, once: two engines of ours shake hands in memory. So the first question takes a while.
 * One that is there and does not work is logged then.
 */
public final class BoringSsl {
  private static final Logger log = LoggerFactory.getLogger(TlsSecurity.class);

  private static final String ARTIFACT = "io.netty:netty-tcnative-boringssl-static";
  private static final String IN_ITS_JAR =
      "META-INF/maven/io.netty/netty-tcnative-boringssl-static/pom.properties";

  /** More than any handshake takes, so that a wrong one ends. */
  private static final int MAX_STEPS = 100;

  /** What was found out: why it cannot be used, for people, and whether that is as it should be. */
  private record Look(@Nullable String trouble, boolean broken) {}

  private static final Look LOOK = look();

  private BoringSsl() {}

  /** Whether this JVM has it, and it works. */
  public static boolean isAvailable() {
    return LOOK.trouble() == null;
  }

  /** Whether it is there but does not work, as with an older version of it. */
  public static boolean isBroken() {
    return LOOK.broken();
  }

  /** Why it is not {@linkplain #isAvailable available}, for people; null if it is. */
  public static @Nullable String trouble() {
    return LOOK.trouble();
  }

  private static Look look() {
    try {
      if (!OpenSsl.isAvailable()) {
        return isOnClassPath() ? broken(OpenSsl.unavailabilityCause()) : absent();
      }
      if (!OpenSsl.versionString().startsWith("BoringSSL")) {
        return absent();
      }
      if (!SslProvider.isTlsv13Supported(SslProvider.OPENSSL)) {
        return broken(new SSLException("it has no TLS 1.3"));
      }
      shakeHands();
      return new Look(null, false);
    } catch (GeneralSecurityException | SSLException | RuntimeException | LinkageError e) {
      return broken(e);
    }
  }

  private static Look absent() {
    return new Look(ARTIFACT + " is not on the class path", false);
  }

  private static Look broken(Throwable failure) {
    LinkageError linkage = Libraries.linkageError(failure);
    String trouble =
        ARTIFACT
            + " is on the class path but does not work: "
            + (linkage != null ? Libraries.describe(linkage) : String.valueOf(failure));
    log.warn("{}; hosts go on with Noise, and with the JDK's TLS where they ask for TLS", trouble);
    log.debug("how BoringSSL failed", failure);
    return new Look(trouble, true);
  }

  private static boolean isOnClassPath() {
    ClassLoader loader = BoringSsl.class.getClassLoader();
    return loader != null && loader.getResource(IN_ITS_JAR) != null;
  }

  /** A handshake as two hosts have it, and a byte in each direction. */
  private static void shakeHands() throws GeneralSecurityException, SSLException {
    PeerVerifier verifier = new PeerVerifier();
    TlsIdentity identity = TlsIdentity.make(PrivateKey.generateEd25519());
    TlsEngines engines = new BoringSslEngines(new IdentityKeyManager(identity), verifier);
    try (Side client = new Side(engines, verifier, true);
        Side server = new Side(engines, verifier, false)) {
      for (int step = 0; !(client.isDone() && server.isDone()); step++) {
        if (step == MAX_STEPS) {
          throw new SSLException("a handshake with itself does not end");
        }
        client.sendTo(server);
        server.sendTo(client);
      }
    }
  }

  /** One of the two, and what it has received and not yet read. */
  private static final class Side implements AutoCloseable {
    private final PeerVerifier verifier;
    private final SSLEngine engine;
    private final Handshake handshake;
    private final ByteBuffer received;
    private final ByteBuffer read;

    Side(TlsEngines engines, PeerVerifier verifier, boolean initiator) throws SSLException {
      this.verifier = verifier;
      engine =
          engines.newEngine(
              UnpooledByteBufAllocator.DEFAULT, initiator, List.of(TlsSecurity.NO_MUXER));
      handshake = verifier.expect(engine, null);
      received = ByteBuffer.allocate(2 * engine.getSession().getPacketBufferSize());
      read = ByteBuffer.allocate(engine.getSession().getApplicationBufferSize());
      engine.beginHandshake();
    }

    /** Whether it knows the other, and has read its byte. */
    boolean isDone() {
      return read.position() > 0
          && handshake.remoteKey() != null
          && TlsSecurity.NO_MUXER.equals(engine.getApplicationProtocol());
    }

    void sendTo(Side other) throws SSLException {
      runTasks();
      boolean open = engine.getHandshakeStatus() == HandshakeStatus.NOT_HANDSHAKING;
      ByteBuffer data = ByteBuffer.allocate(open && !other.isDone() ? 1 : 0);
      engine.wrap(data, other.received);
      runTasks();
      other.read();
    }

    private void read() throws SSLException {
      received.flip();
      while (received.hasRemaining() && engine.unwrap(received, read).bytesConsumed() > 0) {
        runTasks();
      }
      received.compact();
    }

    private void runTasks() {
      for (Runnable task; (task = engine.getDelegatedTask()) != null; ) {
        task.run();
      }
    }

    @Override
    public void close() {
      verifier.forget(engine);
      ReferenceCountUtil.release(engine);
    }
  }
}
