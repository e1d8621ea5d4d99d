package io.grpcstream;

import io.grpcstream.libp2p.Multiaddr;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** A way to a host, over TCP, on which nothing moves while it is stalled; it ends nothing then. */
final class Link implements AutoCloseable {
  private final ServerSocket entry = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
  private final Queue<Closeable> open = new ConcurrentLinkedQueue<>();
  private final int port;
  private boolean stalled;

  /** A way to the host that listens on {@code port} of this machine. */
  Link(int port) throws IOException {
    this.port = port;
    open.add(entry);
    start(this::accept);
  }

  /** Where the way begins. */
  Multiaddr address() {
    return Multiaddr.parse("/ip4/127.0.0.1/tcp/" + entry.getLocalPort());
  }

  /** From now on nothing moves, or all goes on. */
  synchronized void stalled(boolean stalled) {
    this.stalled = stalled;
    notifyAll();
  }

  private synchronized void awaitFlow() throws InterruptedException {
    while (stalled) {
      wait();
    }
  }

  private static void start(Runnable loop) {
    Thread thread = new Thread(loop, "link");
    thread.setDaemon(true);
    thread.start();
  }

  private void accept() {
    while (!entry.isClosed()) {
      try {
        Socket near = entry.accept();
        Socket far = new Socket(InetAddress.getLoopbackAddress(), port);
        open.add(near);
        open.add(far);
        start(() -> copy(near, far));
        start(() -> copy(far, near));
      } catch (IOException e) {
        close();
      }
    }
  }

  private void copy(Socket from, Socket to) {
    byte[] bytes = new byte[4096];
    try (from;
        to) {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      for (int n = in.read(bytes); n >= 0; n = in.read(bytes)) {
        awaitFlow();
        out.write(bytes, 0, n);
      }
    } catch (IOException | InterruptedException e) {
      Thread.currentThread().setName("link, ended: " + e);
    }
  }

  @Override
  public void close() {
    stalled(false);
    for (Closeable each = open.poll(); each != null; each = open.poll()) {
      try {
        each.close();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
