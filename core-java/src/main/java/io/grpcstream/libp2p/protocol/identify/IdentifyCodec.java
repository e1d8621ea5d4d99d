package io.grpcstream.libp2p.protocol.identify;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.WireFormat;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.crypto.PublicKey;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The {@code Identify} protobuf: writing one message, and merging those of one exchange. */
final class IdentifyCodec {
  /** What we send at most: 4 KiB, which is all that rust-libp2p takes. */
  static final int SEND_LIMIT = 4 << 10;

  /** Bytes of heap, about, that the listen addresses kept of one exchange may take. */
  static final int MAX_ADDRESS_BYTES = 8 << 10;

  /** Bytes of heap, about, that the protocols kept of one exchange may take. */
  static final int MAX_PROTOCOL_BYTES = 16 << 10;

  /** The longest version, in characters: a longer one is cut. */
  static final int MAX_VERSION_CHARS = 256;

  /** What a list entry takes of the heap beside the bytes that were sent. */
  private static final int ENTRY_OVERHEAD_BYTES = 64;

  /** What is kept free for the observed address, which the responder adds for each peer. */
  private static final int OBSERVED_ADDRESS_BYTES = 128;

  private static final Logger logger = LoggerFactory.getLogger(IdentifyCodec.class);

  private static final int PUBLIC_KEY = 1;
  private static final int LISTEN_ADDRESSES = 2;
  private static final int PROTOCOLS = 3;
  private static final int OBSERVED_ADDRESS = 4;
  private static final int PROTOCOL_VERSION = 5;
  private static final int AGENT_VERSION = 6;

  private IdentifyCodec() {}

  /**
   * As much of {@code identify} as fits a message of {@link #SEND_LIMIT} bytes; itself if all does.
   *
   * <p>Listen addresses are sure of half of what the single fields leave, and protocols of the
   * other half; what one list does not need the other may use. Of a list that does not fit the
   * first entries are kept, without gaps.
   *
   * @throws IllegalArgumentException if the single fields alone are too large
   */
  static Identify fit(Identify identify) {
    int room = SEND_LIMIT - singleFields(identify).length;
    if (identify.observedAddress() == null) {
      room = Math.max(0, room - OBSERVED_ADDRESS_BYTES);
    }
    List<Integer> addresses = identify.listenAddresses().stream().map(a -> sizeOf(a)).toList();
    List<Integer> protocols =
        identify.protocols().stream()
            .map(p -> CodedOutputStream.computeStringSize(PROTOCOLS, p))
            .toList();
    int wanted = sum(addresses, addresses.size());
    int forProtocols = fitting(protocols, room - Math.min(wanted, room / 2));
    int forAddresses = fitting(addresses, room - sum(protocols, forProtocols));
    if (forAddresses == addresses.size() && forProtocols == protocols.size()) {
      return identify;
    }
    return new Identify(
        identify.protocolVersion(),
        identify.agentVersion(),
        identify.publicKey(),
        identify.listenAddresses().subList(0, forAddresses),
        identify.observedAddress(),
        identify.protocols().subList(0, forProtocols));
  }

  private static int sizeOf(Multiaddr address) {
    return CodedOutputStream.computeByteArraySize(
        LISTEN_ADDRESSES, address.withoutPeerId().bytes());
  }

  private static int sum(List<Integer> sizes, int count) {
    return sizes.stream().limit(count).mapToInt(size -> size).sum();
  }

  /** How many of the first entries fit. */
  private static int fitting(List<Integer> sizes, int room) {
    int left = room;
    int count = 0;
    while (count < sizes.size() && sizes.get(count) <= left) {
      left -= sizes.get(count++);
    }
    return count;
  }

  /**
   * The message, with as much of the lists as {@link #fit} keeps. Peer ids at the end of addresses
   * are left out: the receiver knows whose they are.
   *
   * @throws IllegalArgumentException if the single fields alone are too large
   */
  static byte[] encode(Identify identify) {
    Identify fitting = fit(identify);
    if (fitting != identify) {
      logger.debug(
          "identify: told {} of {} protocols and {} of {} addresses, as the message holds no more",
          fitting.protocols().size(),
          identify.protocols().size(),
          fitting.listenAddresses().size(),
          identify.listenAddresses().size());
    }
    byte[] single = singleFields(identify);
    byte[] message = Arrays.copyOf(single, SEND_LIMIT);
    try {
      CodedOutputStream out =
          CodedOutputStream.newInstance(message, single.length, SEND_LIMIT - single.length);
      for (String protocol : fitting.protocols()) {
        out.writeString(PROTOCOLS, protocol);
      }
      for (Multiaddr address : fitting.listenAddresses()) {
        out.writeByteArray(LISTEN_ADDRESSES, address.withoutPeerId().bytes());
      }
      return Arrays.copyOf(message, SEND_LIMIT - out.spaceLeft());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static byte[] singleFields(Identify identify) {
    byte[] message = new byte[SEND_LIMIT];
    try {
      CodedOutputStream out = CodedOutputStream.newInstance(message);
      writeSingleFields(out, identify);
      return Arrays.copyOf(message, SEND_LIMIT - out.spaceLeft());
    } catch (CodedOutputStream.OutOfSpaceException e) {
      throw new IllegalArgumentException(
          "identify: key, versions and observed address exceed " + SEND_LIMIT + " bytes", e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void writeSingleFields(CodedOutputStream out, Identify identify)
      throws IOException {
    if (identify.publicKey() != null) {
      out.writeByteArray(PUBLIC_KEY, identify.publicKey().marshal());
    }
    Multiaddr observed = identify.observedAddress();
    if (observed != null && !observed.withoutPeerId().isEmpty()) {
      out.writeByteArray(OBSERVED_ADDRESS, observed.withoutPeerId().bytes());
    }
    if (identify.protocolVersion() != null) {
      out.writeString(PROTOCOL_VERSION, identify.protocolVersion());
    }
    if (identify.agentVersion() != null) {
      out.writeString(AGENT_VERSION, identify.agentVersion());
    }
  }

  /**
   * Merges the messages of one exchange as protobuf says: the last value of a single field holds,
   * and lists grow, as far as {@link #MAX_ADDRESS_BYTES} and {@link #MAX_PROTOCOL_BYTES} go. The
   * first protocols are kept, and the first addresses; but those preferred take the places of the
   * last others.
   */
  static final class Merger {
    private final PeerId peer;
    private final Predicate<Multiaddr> preferred;
    private final Set<Multiaddr> addresses = new LinkedHashSet<>();
    private final Set<String> protocols = new LinkedHashSet<>();
    private @Nullable String protocolVersion;
    private @Nullable String agentVersion;
    private @Nullable PublicKey publicKey;
    private @Nullable Multiaddr observedAddress;
    private int addressBytes;
    private int protocolBytes;

    /** Merges what {@code peer} sends; where not all can be kept, what is preferred. */
    Merger(PeerId peer, Predicate<Multiaddr> preferred) {
      this.peer = peer;
      this.preferred = preferred;
    }

    /**
     * Adds one message.
     *
     * @throws IOException if it is malformed
     * @throws IdentifyException if it holds a key that is not the peer's
     */
    void add(byte[] message) throws IOException {
      CodedInputStream in = CodedInputStream.newInstance(message);
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        int field = WireFormat.getTagFieldNumber(tag);
        switch (WireFormat.getTagWireType(tag)) {
          case WireFormat.WIRETYPE_LENGTH_DELIMITED -> add(field, in);
          case WireFormat.WIRETYPE_START_GROUP, WireFormat.WIRETYPE_END_GROUP ->
              throw new InvalidProtocolBufferException("field " + field + " is a group");
          default -> in.skipField(tag);
        }
      }
    }

    private void add(int field, CodedInputStream in) throws IOException {
      switch (field) {
        case PUBLIC_KEY -> publicKey = keyOfPeer(in.readByteArray());
        case LISTEN_ADDRESSES -> {
          Multiaddr address = address(in.readByteArray());
          if (address != null) {
            add(address);
          }
        }
        case PROTOCOLS -> add(in.readString());
        case OBSERVED_ADDRESS -> observedAddress = address(in.readByteArray());
        case PROTOCOL_VERSION -> protocolVersion = cut(in.readString());
        case AGENT_VERSION -> agentVersion = cut(in.readString());
        default -> in.skipRawBytes(in.readRawVarint32());
      }
    }

    private void add(Multiaddr address) {
      int size = keptBytes(address);
      if (addressBytes + size > MAX_ADDRESS_BYTES && preferred.test(address)) {
        makeRoom(size);
      }
      if (addressBytes + size <= MAX_ADDRESS_BYTES && addresses.add(address)) {
        addressBytes += size;
      }
    }

    /** Drops the last addresses that are not preferred, if that makes enough room. */
    private void makeRoom(int size) {
      List<Multiaddr> others = new ArrayList<>(addresses);
      others.removeIf(preferred);
      int enough = addressBytes + size - MAX_ADDRESS_BYTES;
      for (int i = others.size() - 1; i >= 0 && enough > 0; i--) {
        addresses.remove(others.get(i));
        addressBytes -= keptBytes(others.get(i));
        enough -= keptBytes(others.get(i));
      }
    }

    private static int keptBytes(Multiaddr address) {
      return ENTRY_OVERHEAD_BYTES + address.bytes().length;
    }

    private void add(String protocol) {
      int size = ENTRY_OVERHEAD_BYTES + protocol.length();
      if (protocolBytes + size <= MAX_PROTOCOL_BYTES && protocols.add(protocol)) {
        protocolBytes += size;
      }
    }

    private static String cut(String version) {
      return version.length() <= MAX_VERSION_CHARS
          ? version
          : version.substring(0, MAX_VERSION_CHARS);
    }

    private PublicKey keyOfPeer(byte[] bytes) throws IdentifyException {
      PublicKey key;
      try {
        key = PublicKey.unmarshal(bytes);
      } catch (IllegalArgumentException e) {
        throw new IdentifyException(
            "identify: peer " + peer + " sent a public key that cannot be read: " + e.getMessage(),
            e);
      }
      PeerId owner = PeerId.of(key);
      if (!owner.equals(peer)) {
        throw new IdentifyException(
            "identify: peer " + peer + " sent the public key of " + owner, null);
      }
      return key;
    }

    /** An address, or null if it says nothing of where, or has a part that we do not know. */
    private @Nullable Multiaddr address(byte[] bytes) {
      if (bytes.length == 0) {
        return null;
      }
      try {
        Multiaddr address = Multiaddr.fromBytes(bytes);
        return address.withoutPeerId().isEmpty() ? null : address;
      } catch (IllegalArgumentException e) {
        logger.debug("identify: skipped an address that {} sent: {}", peer, e.getMessage());
        return null;
      }
    }

    /** All that was added. */
    Identify result() {
      List<Multiaddr> addressList = new ArrayList<>(addresses);
      return new Identify(
          protocolVersion,
          agentVersion,
          publicKey,
          addressList,
          observedAddress,
          new ArrayList<>(protocols));
    }
  }
}
