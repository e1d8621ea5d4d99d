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
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The {@code Identify} protobuf: writing one message, and merging those of one exchange. */
final class IdentifyCodec {
  /** What we send at most: 4 KiB, which is all that rust-libp2p takes. */
  static final int SEND_LIMIT = 4 << 10;

  /** Listen addresses kept of one exchange; the first ones win. */
  static final int MAX_ADDRESSES = 100;

  /** Protocols kept of one exchange; the first ones win. */
  static final int MAX_PROTOCOLS = 1_000;

  private static final Logger logger = LoggerFactory.getLogger(IdentifyCodec.class);

  private static final int PUBLIC_KEY = 1;
  private static final int LISTEN_ADDRESSES = 2;
  private static final int PROTOCOLS = 3;
  private static final int OBSERVED_ADDRESS = 4;
  private static final int PROTOCOL_VERSION = 5;
  private static final int AGENT_VERSION = 6;

  private IdentifyCodec() {}

  /**
   * The message in at most {@link #SEND_LIMIT} bytes. If it were larger, listen addresses are left
   * out, from the last, and if that is not enough protocols, from the last. Peer ids at the end of
   * addresses are left out: the receiver knows whose they are.
   *
   * @throws IllegalArgumentException if the rest of it alone is too large
   */
  static byte[] encode(Identify identify) {
    try {
      byte[] message = new byte[SEND_LIMIT];
      CodedOutputStream out = CodedOutputStream.newInstance(message);
      writeSingleFields(out, identify);
      for (String protocol : identify.protocols()) {
        if (CodedOutputStream.computeStringSize(PROTOCOLS, protocol) > out.spaceLeft()) {
          logger.debug("identify: protocols from {} on do not fit the message", protocol);
          break;
        }
        out.writeString(PROTOCOLS, protocol);
      }
      for (Multiaddr address : identify.listenAddresses()) {
        byte[] bytes = address.withoutPeerId().bytes();
        if (CodedOutputStream.computeByteArraySize(LISTEN_ADDRESSES, bytes) > out.spaceLeft()) {
          logger.debug("identify: addresses from {} on do not fit the message", address);
          break;
        }
        out.writeByteArray(LISTEN_ADDRESSES, bytes);
      }
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
   * and lists grow.
   */
  static final class Merger {
    private final PeerId peer;
    private final Set<Multiaddr> addresses = new LinkedHashSet<>();
    private final Set<String> protocols = new LinkedHashSet<>();
    private @Nullable String protocolVersion;
    private @Nullable String agentVersion;
    private @Nullable PublicKey publicKey;
    private @Nullable Multiaddr observedAddress;

    /** Merges what {@code peer} sends. */
    Merger(PeerId peer) {
      this.peer = peer;
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
          if (address != null && addresses.size() < MAX_ADDRESSES) {
            addresses.add(address);
          }
        }
        case PROTOCOLS -> {
          String protocol = in.readString();
          if (protocols.size() < MAX_PROTOCOLS) {
            protocols.add(protocol);
          }
        }
        case OBSERVED_ADDRESS -> observedAddress = address(in.readByteArray());
        case PROTOCOL_VERSION -> protocolVersion = in.readString();
        case AGENT_VERSION -> agentVersion = in.readString();
        default -> in.skipRawBytes(in.readRawVarint32());
      }
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

    /** An address, or null if it is empty or has a part that we do not know. */
    private @Nullable Multiaddr address(byte[] bytes) {
      if (bytes.length == 0) {
        return null;
      }
      try {
        return Multiaddr.fromBytes(bytes);
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
