package io.grpcstream.libp2p;

import io.grpcstream.libp2p.crypto.PrivateKey;
import io.grpcstream.libp2p.crypto.PublicKey;
import io.grpcstream.libp2p.mux.yamux.Frame;
import io.grpcstream.libp2p.security.noise.RawNoise;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/**
 * A peer by hand, over a plain blocking socket: speaks multistream, Noise and yamux as far as the
 * test wants it to, and breaks them as the test wants it to. What it waits for it waits for at most
 * 20 seconds.
 */
public final class RawPeer implements AutoCloseable {
  static final String MULTISTREAM = "/multistream/1.0.0";
  static final String NOISE = "/noise";
  static final String YAMUX = "/yamux/1.0.0";

  private static final int TIMEOUT_MILLIS = 20_000;

  final Socket socket;
  final PrivateKey key;
  final RawNoise noise;

  /** What was decrypted and not yet cut into frames. */
  private final ByteArrayOutputStream plaintext = new ByteArrayOutputStream();

  private RawPeer(Socket socket, PrivateKey key, boolean initiator) throws IOException {
    this.socket = socket;
    this.key = key;
    this.noise = new RawNoise(initiator, key);
    socket.setSoTimeout(TIMEOUT_MILLIS);
    socket.setTcpNoDelay(true);
  }

  /** Connects to {@code host}, and has said nothing yet. */
  public static RawPeer dial(Host host) {
    return dial(host, PrivateKey.generateEd25519());
  }

  static RawPeer dial(Host host, PrivateKey key) {
    return dial(host, key, 0);
  }

  /** Connects with a receive buffer of that size, so that the other side's window fills soon. */
  static RawPeer dial(Host host, PrivateKey key, int receiveBuffer) {
    try {
      Multiaddr address = host.listenAddresses().get(0);
      Socket socket = new Socket();
      if (receiveBuffer > 0) {
        socket.setReceiveBufferSize(receiveBuffer);
      }
      int port = Integer.parseInt(address.value("tcp").orElseThrow());
      socket.connect(new InetSocketAddress(address.value("ip4").orElseThrow(), port));
      return new RawPeer(socket, key, true);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Connects, and does all that is right up to the first yamux frame. */
  static RawPeer dialAndSecure(Host host) {
    return dial(host).secured();
  }

  /** A socket to listen on. */
  public static ServerSocket listener() {
    try {
      return new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The multiaddr of a {@link #listener}. */
  public static Multiaddr address(ServerSocket listener) {
    return Multiaddr.parse("/ip4/127.0.0.1/tcp/" + listener.getLocalPort());
  }

  /** The next connection that someone makes to {@code listener}. */
  public static RawPeer accept(ServerSocket listener, PrivateKey key) {
    try {
      listener.setSoTimeout(TIMEOUT_MILLIS);
      return new RawPeer(listener.accept(), key, false);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  PeerId id() {
    return PeerId.of(key.publicKey());
  }

  /** How the other side names this peer's end of the connection. */
  String address() {
    return "/ip4/127.0.0.1/tcp/" + socket.getLocalPort();
  }

  // ---- bytes

  /** Sends bytes as they are. */
  RawPeer send(byte[] bytes) {
    try {
      socket.getOutputStream().write(bytes);
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Sends text as it is. */
  public RawPeer sendRaw(String text) {
    return send(text.getBytes(StandardCharsets.UTF_8));
  }

  /** The same, until the other side has closed: false once it has. */
  boolean trySend(byte[] bytes) {
    try {
      socket.getOutputStream().write(bytes);
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  /** The next {@code count} bytes as they are. */
  byte[] receive(int count) {
    try {
      byte[] bytes = new byte[count];
      new DataInputStream(socket.getInputStream()).readFully(bytes);
      return bytes;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Reads until the other side closes, in whichever way; returns what it sent before. */
  public byte[] awaitClose() {
    ByteArrayOutputStream rest = new ByteArrayOutputStream();
    try {
      InputStream in = socket.getInputStream();
      byte[] buffer = new byte[8192];
      for (int n; (n = in.read(buffer)) >= 0; ) {
        rest.write(buffer, 0, n);
      }
    } catch (SocketException e) {
      return rest.toByteArray(); // A reset is an end, too.
    } catch (IOException e) {
      throw new AssertionError("not closed by the other side, sent " + rest.size(), e);
    }
    return rest.toByteArray();
  }

  @Override
  public void close() {
    try {
      socket.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  // ---- multistream

  /** Messages of multistream, one after another. */
  static byte[] multistream(String... texts) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (String text : texts) {
      byte[] body = (text + "\n").getBytes(StandardCharsets.UTF_8);
      if (body.length >= 0x80) {
        out.write(body.length & 0x7f | 0x80);
        out.write(body.length >> 7);
      } else {
        out.write(body.length);
      }
      out.writeBytes(body);
    }
    return out.toByteArray();
  }

  /** Reads one message of at most 127 bytes. */
  String multistreamMessage() {
    byte[] body = receive(receive(1)[0]);
    return new String(body, 0, body.length - 1, StandardCharsets.UTF_8);
  }

  /** Agrees with a listening host on Noise. */
  RawPeer agreeOnNoise() {
    return agreeOn(NOISE);
  }

  /** Agrees with a listening host on a security protocol. */
  RawPeer agreeOn(String protocol) {
    send(multistream(MULTISTREAM, protocol));
    expect(MULTISTREAM);
    expect(protocol);
    return this;
  }

  /** Lets a dialling host agree on Noise. */
  public RawPeer offerNoise() {
    return offer(NOISE);
  }

  /** Lets a dialling host agree on a security protocol, and refuses what it proposes before. */
  RawPeer offer(String protocol) {
    expect(MULTISTREAM);
    send(multistream(MULTISTREAM));
    while (!multistreamMessage().equals(protocol)) {
      send(multistream("na"));
    }
    return send(multistream(protocol));
  }

  private void expect(String message) {
    String found = multistreamMessage();
    if (!found.equals(message)) {
      throw new AssertionError("expected " + message + ", got " + found);
    }
  }

  // ---- Noise

  /** {@code message} behind its length. */
  static byte[] framed(byte[] message) {
    byte[] framed = new byte[2 + message.length];
    framed[0] = (byte) (message.length >> 8);
    framed[1] = (byte) message.length;
    System.arraycopy(message, 0, framed, 2, message.length);
    return framed;
  }

  /** The next length and message. */
  byte[] message() {
    byte[] length = receive(2);
    return receive((length[0] & 0xff) << 8 | length[1] & 0xff);
  }

  /** As the dialler: the first message, and the other side's. */
  RawPeer helloNoise() {
    send(framed(noise.write(new byte[0])));
    noise.read(message());
    return this;
  }

  /** As the listener: takes the first message and answers it. */
  public RawPeer answerNoise() {
    noise.read(message());
    return send(framed(noise.write(noise.payload(YAMUX))));
  }

  /** The same, showing {@code claimed} as the identity without its signature. */
  public RawPeer answerNoiseClaiming(PublicKey claimed) {
    noise.read(message());
    return send(framed(noise.write(noise.payloadClaiming(claimed, YAMUX))));
  }

  /** As the dialler: all up to the first yamux frame. */
  RawPeer secured() {
    agreeOnNoise().helloNoise();
    return send(framed(noise.write(noise.payload(YAMUX))));
  }

  /** One record. */
  byte[] sealed(byte[] bytes) {
    return framed(noise.seal(bytes));
  }

  // ---- yamux

  /** Sends frames in as few records as they take. */
  RawPeer send(Frame... frames) {
    return send(records(frames));
  }

  /** The records of frames. */
  byte[] records(Frame... frames) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (Frame frame : frames) {
      all.writeBytes(frame.bytes());
    }
    ByteArrayOutputStream records = new ByteArrayOutputStream();
    ByteArrayInputStream in = new ByteArrayInputStream(all.toByteArray());
    while (in.available() > 0) {
      byte[] part = new byte[Math.min(60_000, in.available())];
      in.readNBytes(part, 0, part.length);
      records.writeBytes(sealed(part));
    }
    return records.toByteArray();
  }

  /** Opens a stream for {@code protocol} and waits for the other side's agreement. */
  RawPeer open(int streamId, String protocol) {
    send(Frame.data(Frame.SYN, streamId, multistream(MULTISTREAM, protocol)));
    int wanted = multistream(MULTISTREAM, protocol).length;
    for (int got = 0; got < wanted; ) {
      got += (int) await(f -> f.type() == Frame.DATA && f.streamId() == streamId).length();
    }
    return this;
  }

  /** The next frame that {@code wanted} picks; the frames before it are dropped. */
  Frame await(Predicate<Frame> wanted) {
    List<String> seen = new ArrayList<>();
    try {
      while (true) {
        Frame frame = frame();
        if (wanted.test(frame)) {
          return frame;
        }
        seen.add(frame.toString());
      }
    } catch (UncheckedIOException e) {
      throw new AssertionError("no such frame, only " + seen, e);
    }
  }

  /** All frames until the other side closes. */
  List<Frame> framesUntilClose() {
    List<Frame> frames = new ArrayList<>();
    try {
      while (true) {
        frames.add(frame());
      }
    } catch (UncheckedIOException e) {
      if (e.getCause() instanceof EOFException || e.getCause() instanceof SocketException) {
        return frames;
      }
      throw new AssertionError("not closed by the other side, sent " + frames, e);
    }
  }

  /** The next frame. */
  Frame frame() {
    while (true) {
      byte[] bytes = plaintext.toByteArray();
      int size = sizeOfFirst(bytes);
      if (size >= 0 && bytes.length >= size) {
        byte[] first = new byte[size];
        System.arraycopy(bytes, 0, first, 0, size);
        plaintext.reset();
        plaintext.write(bytes, size, bytes.length - size);
        return Frame.parse(first).get(0);
      }
      plaintext.writeBytes(noise.open(message()));
    }
  }

  private static int sizeOfFirst(byte[] bytes) {
    if (bytes.length < 12) {
      return -1;
    }
    int length = 0;
    for (int i = 8; i < 12; i++) {
      length = length << 8 | bytes[i] & 0xff;
    }
    return 12 + (bytes[1] == Frame.DATA ? length : 0);
  }
}
