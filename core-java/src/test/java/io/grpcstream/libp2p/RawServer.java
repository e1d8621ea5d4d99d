package io.grpcstream.libp2p;

import java.io.Closeable;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** A TCP server that speaks no libp2p: it says its piece, or nothing, and holds the line. */
public final class RawServer implements Closeable {
  private final ServerSocket server;
  private final byte[] piece;
  private final List<Socket> sockets = new ArrayList<>();
  public final AtomicInteger accepted = new AtomicInteger();

  private RawServer(byte[] piece) throws IOException {
    this.piece = piece;
    server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    Thread thread = new Thread(this::serve, "raw-peer");
    thread.setDaemon(true);
    thread.start();
  }

  static RawServer silent() throws IOException {
    return new RawServer(new byte[0]);
  }

  public static RawServer saying(byte[] piece) throws IOException {
    return new RawServer(piece);
  }

  public Multiaddr address() {
    return Multiaddr.parse("/ip4/127.0.0.1/tcp/" + server.getLocalPort());
  }

  private void serve() {
    try {
      while (true) {
        Socket socket = server.accept();
        synchronized (sockets) {
          sockets.add(socket);
        }
        socket.getOutputStream().write(piece);
        accepted.incrementAndGet();
      }
    } catch (IOException e) {
      // The test is over.
      accepted.accumulateAndGet(0, Integer::sum);
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
    synchronized (sockets) {
      for (Socket socket : sockets) {
        socket.close();
      }
    }
  }
}
