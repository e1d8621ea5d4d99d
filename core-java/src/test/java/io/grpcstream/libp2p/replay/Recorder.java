package io.grpcstream.libp2p.replay;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;

/** Stands between the two sides of one TCP connection, and keeps what each of them sends. */
final class Recorder implements AutoCloseable {
  private final ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
  private final ByteArrayOutputStream fromDialler = new ByteArrayOutputStream();
  private final ByteArrayOutputStream fromListener = new ByteArrayOutputStream();

  /** Passes the first connection on to {@code target}. */
  Recorder(InetSocketAddress target) throws IOException {
    start(() -> pass(target));
  }

  int port() {
    return listener.getLocalPort();
  }

  byte[] fromDialler() {
    return fromDialler.toByteArray();
  }

  byte[] fromListener() {
    return fromListener.toByteArray();
  }

  private void pass(InetSocketAddress target) throws IOException {
    Socket dialler = listener.accept();
    Socket accepting = new Socket();
    accepting.connect(target, Replays.PATIENCE_MILLIS);
    start(() -> copy(dialler, accepting, fromDialler));
    start(() -> copy(accepting, dialler, fromListener));
  }

  private static void copy(Socket from, Socket to, ByteArrayOutputStream kept) throws IOException {
    try (from;
        to) {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      byte[] buffer = new byte[16_384];
      for (int read; (read = in.read(buffer)) >= 0; ) {
        kept.write(buffer, 0, read);
        out.write(buffer, 0, read);
      }
    }
  }

  private static void start(Step step) {
    Thread thread =
        new Thread(
            () -> {
              try {
                step.run();
              } catch (IOException e) {
                System.err.println("recorder: " + e); // The end of the connection, as a rule.
              }
            },
            "recorder");
    thread.setDaemon(true);
    thread.start();
  }

  private interface Step {
    void run() throws IOException;
  }

  @Override
  public void close() throws IOException {
    listener.close();
  }
}
