package io.grpcstream.libp2p.protocol.identify;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.CodedOutputStream;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.YamuxPair;
import io.grpcstream.libp2p.crypto.PrivateKey;
import io.grpcstream.libp2p.crypto.PublicKey;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class IdentifyCodecTest {
  private static final PublicKey KEY = YamuxPair.ACCEPTOR_KEY;
  private static final PeerId PEER = YamuxPair.ACCEPTOR;
  private static final Multiaddr ADDRESS = Multiaddr.parse("/ip4/192.0.2.1/tcp/1478");

  @Test
  void aMessageHasTheFieldsOfTheSpecification() {
    Identify identify =
        new Identify("p", "a", null, List.of(ADDRESS), ADDRESS.withPeerId(PEER), List.of("/x"));
    String address = "04c000020106" + "05c6"; // ip4 192.0.2.1, tcp 1478
    assertThat(HexFormat.of().formatHex(IdentifyCodec.encode(identify)))
        .isEqualTo("2208" + address + "2a0170" + "320161" + "1a022f78" + "1208" + address);
  }

  @Test
  void whatIsEncodedIsDecoded() throws IOException {
    Identify identify =
        new Identify(
            "ipfs/0.1.0", "agent/1", KEY, List.of(ADDRESS), ADDRESS, List.of("/x/1", "/y/1"));
    Identify decoded = decode(IdentifyCodec.encode(identify));
    assertThat(decoded.publicKey().marshal()).isEqualTo(KEY.marshal());
    assertThat(decoded).usingRecursiveComparison().ignoringFields("publicKey").isEqualTo(identify);
  }

  @Test
  void theEmptyMessageSaysNothing() throws IOException {
    assertThat(decode(new byte[0]))
        .isEqualTo(new Identify(null, null, null, List.of(), null, List.of()));
    assertThat(IdentifyCodec.encode(decode(new byte[0]))).isEmpty();
  }

  @Test
  @DisplayName("Later messages replace single fields and add to lists")
  void laterMessagesReplaceOrAdd() throws IOException {
    IdentifyCodec.Merger merger = new IdentifyCodec.Merger(PEER, address -> true);
    merger.add(
        IdentifyCodec.encode(
            new Identify("1", "a", null, List.of(ADDRESS), null, List.of("/x", "/y"))));
    merger.add(
        IdentifyCodec.encode(
            new Identify("2", null, null, List.of(ADDRESS), null, List.of("/y", "/z"))));
    Identify merged = merger.result();
    assertThat(merged.protocolVersion()).isEqualTo("2");
    assertThat(merged.agentVersion()).isEqualTo("a");
    assertThat(merged.listenAddresses()).containsExactly(ADDRESS);
    assertThat(merged.protocols()).containsExactly("/x", "/y", "/z");
  }

  @Test
  void tooLargeAMessageLosesItsLastAddressesFirst() throws IOException {
    List<Multiaddr> addresses =
        IntStream.range(1, 1_000).mapToObj(i -> Multiaddr.parse("/memory/" + i)).toList();
    List<String> protocols = IntStream.range(0, 50).mapToObj(i -> "/protocol/" + i).toList();
    byte[] message =
        IdentifyCodec.encode(new Identify("v", "a", KEY, addresses, ADDRESS, protocols));
    assertThat(message).hasSizeBetween(4_000, 4_096);
    Identify kept = decode(message);
    assertThat(kept.protocols()).isEqualTo(protocols);
    assertThat(kept.listenAddresses())
        .isNotEmpty()
        .isEqualTo(addresses.subList(0, kept.listenAddresses().size()));
  }

  @Test
  void farTooLargeAMessageLosesItsLastProtocolsToo() throws IOException {
    List<String> protocols = IntStream.range(0, 900).mapToObj(i -> "/protocol/" + i).toList();
    byte[] message =
        IdentifyCodec.encode(new Identify("v", "a", KEY, List.of(ADDRESS), ADDRESS, protocols));
    assertThat(message).hasSizeLessThanOrEqualTo(4_096);
    Identify kept = decode(message);
    assertThat(kept.observedAddress()).isEqualTo(ADDRESS);
    assertThat(kept.protocols())
        .isNotEmpty()
        .isEqualTo(protocols.subList(0, kept.protocols().size()));
  }

  @Test
  void whatCannotBeLeftOutMustFit() {
    Identify identify = new Identify(null, "a".repeat(4_096), null, List.of(), null, List.of());
    assertThatThrownBy(() -> IdentifyCodec.encode(identify))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("4096");
  }

  @Test
  void theKeyOfAnotherPeerIsAnError() {
    PublicKey other = PrivateKey.generateEd25519().publicKey();
    byte[] message =
        IdentifyCodec.encode(new Identify(null, null, other, List.of(), null, List.of()));
    assertThatThrownBy(() -> decode(message))
        .isInstanceOf(IdentifyException.class)
        .hasMessageContaining(PEER.toString())
        .hasMessageContaining(PeerId.of(other).toString());
  }

  @Test
  void aKeyThatIsNoneIsAnError() {
    assertThatThrownBy(() -> decode(field(1, "no key".getBytes(UTF_8))))
        .isInstanceOf(IdentifyException.class)
        .hasMessageContaining(PEER.toString());
  }

  @Test
  void addressesThatCannotBeReadAreSkipped() throws IOException {
    byte[] message =
        concat(
            field(2, new byte[] {(byte) 0xff, (byte) 0xff, 0x7f, 1}),
            field(2, new byte[0]),
            field(2, new byte[] {4, 1}),
            field(2, ADDRESS.bytes()),
            field(4, new byte[] {4}));
    Identify identify = decode(message);
    assertThat(identify.listenAddresses()).containsExactly(ADDRESS);
    assertThat(identify.observedAddress()).isNull();
  }

  @Test
  void unknownFieldsAndSignedRecordsAreSkipped() throws IOException {
    byte[] varint = {(byte) (15 << 3), 0x05};
    byte[] message =
        concat(
            field(8, new byte[2_000]),
            varint,
            field(99, new byte[3]),
            field(3, "/x".getBytes(UTF_8)));
    assertThat(decode(message).protocols()).containsExactly("/x");
  }

  @Test
  void malformedMessagesAreErrors() {
    for (String hex :
        List.of(
            "1a", // A field without its length.
            "1a05", // A field without its content.
            "1affffffff0f", // A negative length.
            "1affffffff07", // A length of 2 GiB.
            "00", // Field number zero.
            "0b0b0b0b", // Nested groups.
            "0c", // The end of a group that never began.
            "ffffffffffffffffffff01")) { // A tag that never ends.
      assertThatThrownBy(() -> decode(HexFormat.of().parseHex(hex)))
          .as(hex)
          .isInstanceOf(IOException.class);
    }
  }

  @Test
  @DisplayName("What is kept of a peer is bounded in bytes, whatever its entries are like")
  void keptBytesOfAPeerAreBounded() throws IOException {
    for (int size : new int[] {1, 20, 300}) {
      IdentifyCodec.Merger merger = new IdentifyCodec.Merger(PEER, address -> true);
      for (int i = 0; i < 2_000; i++) {
        merger.add(
            concat(
                field(
                    2,
                    Multiaddr.parse("/ip4/192.0.2.1".repeat(1 + size / 8) + "/tcp/" + i).bytes()),
                field(3, ("/" + i + "x".repeat(size)).getBytes(UTF_8)),
                field(5, "v".repeat(8_000).getBytes(UTF_8)),
                field(6, "a".repeat(8_000).getBytes(UTF_8))));
      }
      Identify kept = merger.result();
      assertThat(kept.listenAddresses()).hasSizeGreaterThan(20);
      assertThat(kept.listenAddresses().stream().mapToInt(a -> 64 + a.bytes().length).sum())
          .isLessThanOrEqualTo(IdentifyCodec.MAX_ADDRESS_BYTES);
      assertThat(kept.protocols()).hasSizeGreaterThan(40).startsWith("/0" + "x".repeat(size));
      assertThat(kept.protocols().stream().mapToInt(p -> 64 + p.length()).sum())
          .isLessThanOrEqualTo(IdentifyCodec.MAX_PROTOCOL_BYTES);
      assertThat(kept.agentVersion()).isEqualTo("a".repeat(IdentifyCodec.MAX_VERSION_CHARS));
      assertThat(kept.protocolVersion()).hasSize(IdentifyCodec.MAX_VERSION_CHARS);
    }
  }

  @Test
  @DisplayName("Preferred addresses are kept before others that came first")
  void preferredAddressesAreKept() throws IOException {
    IdentifyCodec.Merger merger =
        new IdentifyCodec.Merger(PEER, address -> address.value("tcp").isPresent());
    for (int i = 0; i < 300; i++) {
      merger.add(field(2, Multiaddr.parse("/ip4/192.0.2.1/udp/" + i + "/quic-v1").bytes()));
    }
    List<Multiaddr> dialable =
        IntStream.range(0, 5).mapToObj(i -> Multiaddr.parse("/ip4/192.0.2.1/tcp/" + i)).toList();
    for (Multiaddr address : dialable) {
      merger.add(field(2, address.bytes()));
    }
    assertThat(merger.result().listenAddresses())
        .containsAll(dialable)
        .startsWith(Multiaddr.parse("/ip4/192.0.2.1/udp/0/quic-v1"))
        .hasSizeGreaterThan(80);
  }

  @Test
  void anAddressThatOnlyNamesThePeerIsNone() throws IOException {
    byte[] self = Multiaddr.parse("/p2p/" + PEER).bytes();
    Identify identify = decode(concat(field(2, self), field(2, ADDRESS.bytes()), field(4, self)));
    assertThat(identify.listenAddresses()).containsExactly(ADDRESS);
    assertThat(identify.observedAddress()).isNull();
  }

  @Test
  @DisplayName("Neither addresses nor protocols crowd the others out")
  void neitherListCrowdsTheOtherOut() throws IOException {
    List<Multiaddr> addresses =
        IntStream.range(1, 1_000).mapToObj(i -> Multiaddr.parse("/memory/" + i)).toList();
    List<String> protocols = IntStream.range(0, 900).mapToObj(i -> "/protocol/" + i).toList();
    Identify all = new Identify("v", "a", KEY, addresses, ADDRESS, protocols);
    Identify kept = decode(IdentifyCodec.encode(all));
    assertThat(kept.listenAddresses())
        .hasSizeGreaterThan(100)
        .isEqualTo(addresses.subList(0, kept.listenAddresses().size()));
    assertThat(kept.protocols())
        .hasSizeGreaterThan(100)
        .isEqualTo(protocols.subList(0, kept.protocols().size()));
    Identify few = new Identify("v", "a", KEY, addresses.subList(0, 33), ADDRESS, protocols);
    assertThat(decode(IdentifyCodec.encode(few)).listenAddresses()).hasSize(33);
  }

  @Test
  void whatFitsWithoutAnObservedAddressFitsWithOne() {
    List<String> protocols = IntStream.range(0, 900).mapToObj(i -> "/protocol/" + i).toList();
    Identify fitting =
        IdentifyCodec.fit(new Identify("v", "a", KEY, List.of(ADDRESS), null, protocols));
    Identify seen = fitting.withObservedAddress(Multiaddr.parse("/ip6/2001:db8::1/tcp/65535"));
    assertThat(IdentifyCodec.fit(seen)).isSameAs(seen);
  }

  private static Identify decode(byte[] message) throws IOException {
    IdentifyCodec.Merger merger = new IdentifyCodec.Merger(PEER, address -> true);
    merger.add(message);
    return merger.result();
  }

  static byte[] field(int number, byte[] content) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    CodedOutputStream out = CodedOutputStream.newInstance(bytes);
    out.writeByteArray(number, content);
    out.flush();
    return bytes.toByteArray();
  }

  private static byte[] concat(byte[]... parts) throws IOException {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.write(part);
    }
    return all.toByteArray();
  }
}
