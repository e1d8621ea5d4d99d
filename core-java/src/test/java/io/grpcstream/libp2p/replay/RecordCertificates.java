package io.grpcstream.libp2p.replay;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.grpcstream.libp2p.Multiaddr;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.BufferedReader;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Records anew the certificates that peers in other languages show, for {@code
 * PeerCertificateTest}; it is asked for as {@link RecordFlights} is. BoringSSL takes them, as the
 * JDK reads none that names no issuer.
 */
class RecordCertificates {
  private static final Path FILE =
      RecordFlights.RESOURCES.resolve(Path.of("security", "tls", "certificates-of-peers.txt"));

  @Test
  void certificates() throws Exception {
    List<String> lines = new ArrayList<>();
    for (String language : List.of("go", "js")) {
      lines.add("# recorded by RecordCertificates with " + RecordFlights.versionOf(language));
      for (String key : List.of("ed25519", "secp256k1", "ecdsa", "rsa")) {
        if (language.equals("go") || !key.equals("ecdsa")) {
          lines.add(record(RecordFlights.command(language), key));
        }
      }
    }
    Files.write(FILE, lines, US_ASCII);
  }

  private static String record(List<String> command, String key) throws Exception {
    Process process = RecordFlights.start(command, List.of("listen"), "tls", key);
    try (BufferedReader lines = process.inputReader()) {
      Multiaddr address = Multiaddr.parse(lines.readLine());
      int port = Integer.parseInt(address.value("tcp").orElseThrow());
      try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
        String peer = address.peerId().orElseThrow().toString();
        return peer + " " + HexFormat.of().formatHex(certificate(socket));
      }
    } finally {
      process.destroyForcibly();
    }
  }

  /** What the listener shows in a handshake that goes no further than that. */
  private static byte[] certificate(Socket socket) throws Exception {
    DataInputStream in = new DataInputStream(socket.getInputStream());
    OutputStream out = socket.getOutputStream();
    byte[] agreement = "\23/multistream/1.0.0\n\13/tls/1.0.0\n".getBytes(US_ASCII);
    out.write(agreement);
    in.readFully(new byte[agreement.length]);

    Judge judge = new Judge();
    SslContext context =
        SslContextBuilder.forClient()
            .sslProvider(SslProvider.OPENSSL)
            .trustManager(judge)
            .protocols("TLSv1.3")
            .build();
    SSLEngine engine = context.newEngine(UnpooledByteBufAllocator.DEFAULT);
    engine.beginHandshake();
    ByteBuffer buffer = ByteBuffer.allocate(64 << 10);
    while (engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP) {
      buffer.clear();
      engine.wrap(ByteBuffer.allocate(0), buffer);
      out.write(buffer.array(), 0, buffer.position());
    }
    ByteBuffer received = ByteBuffer.allocate(64 << 10);
    while (judge.shown == null) {
      receive(in, received);
      received.flip();
      while (engine.unwrap(received, buffer.clear()).bytesConsumed() > 0) {
        runTasks(engine);
      }
      received.compact();
    }
    return judge.shown.getEncoded();
  }

  private static void receive(DataInputStream in, ByteBuffer received) throws IOException {
    byte[] some = new byte[received.remaining()];
    int count = in.read(some);
    if (count < 0) {
      throw new EOFException("the listener has hung up");
    }
    received.put(some, 0, count);
  }

  private static void runTasks(SSLEngine engine) {
    for (Runnable task; (task = engine.getDelegatedTask()) != null; ) {
      task.run();
    }
  }

  /** Takes any certificate, and keeps it. */
  private static final class Judge implements X509TrustManager {
    private @Nullable X509Certificate shown;

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) {
      shown = chain[0];
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) {
      throw new UnsupportedOperationException();
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }
}
