package io.grpcstream.libp2p.dial;

import static io.grpcstream.libp2p.TestHosts.eventually;
import static io.grpcstream.libp2p.TestHosts.failure;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpcstream.libp2p.ConnectionGater;
import io.grpcstream.libp2p.DialException;
import io.grpcstream.libp2p.Limits;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.RawServer;
import io.grpcstream.libp2p.addresses.AddressBook;
import io.grpcstream.libp2p.addresses.AddressScope;
import io.grpcstream.libp2p.connection.ConnectionTable;
import io.grpcstream.libp2p.connection.ConnectionUpgrader;
import io.grpcstream.libp2p.connection.ProtocolHandlers;
import io.grpcstream.libp2p.connection.StreamRules;
import io.grpcstream.libp2p.crypto.PrivateKey;
import io.grpcstream.libp2p.mux.yamux.YamuxConfig;
import io.grpcstream.libp2p.mux.yamux.YamuxProtocol;
import io.grpcstream.libp2p.protocol.identify.Identify;
import io.grpcstream.libp2p.resources.Observers;
import io.grpcstream.libp2p.resources.Refusals;
import io.grpcstream.libp2p.resources.ResourceManager;
import io.grpcstream.libp2p.security.noise.NoiseSecurity;
import io.grpcstream.libp2p.transport.Transports;
import io.grpcstream.libp2p.transport.tcp.TcpTransport;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Where an address that a stranger told may lead: not to this machine, whatever it looks like. */
@SuppressWarnings("AddressSelection") // Literal addresses: nothing is looked up.
class ToldAddressTest {
  private static final Map<String, String> NAMES =
      Map.of(
          "trap.example", "127.0.0.1",
          "mapped.example", "::ffff:127.0.0.1",
          "wildcard.example", "0.0.0.0",
          "site.example", "10.255.255.1");

  private final PeerId stranger = PeerId.of(PrivateKey.generateEd25519().publicKey());
  private final EventLoopGroup group =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
  private final NameResolver resolver =
      new NameResolver(new DefaultThreadFactory("test-dns", true), ToldAddressTest::lookUp);
  private final AddressBook book = new AddressBook(System::nanoTime, 1 << 20, dropped -> {});
  private static final Observers NOBODY = new Observers(List.of());

  private Dialer dialer;
  private RawServer server;
  private String port;

  @BeforeEach
  void start() throws Exception {
    PrivateKey key = PrivateKey.generateEd25519();
    PeerId self = PeerId.of(key.publicKey());
    Limits limits = Limits.defaults();
    Refusals refusals = new Refusals(self);
    ResourceManager resources = new ResourceManager(limits, refusals, Map.of());
    ConnectionTable table = new ConnectionTable(book);
    ConnectionUpgrader upgrader =
        new ConnectionUpgrader(
            self,
            limits,
            List.of(new NoiseSecurity(key, null)),
            null,
            new YamuxProtocol(YamuxConfig.defaults()),
            ConnectionGater.ALLOW_ALL,
            table,
            new StreamRules(
                new ProtocolHandlers(Set.of()),
                resources,
                refusals,
                limits.streamNegotiationTimeout(),
                NOBODY));
    Transports transports = new Transports(List.of(new TcpTransport()));
    transports.start(group);
    dialer =
        new Dialer(
            self,
            table,
            book,
            upgrader,
            ConnectionGater.ALLOW_ALL,
            refusals,
            NOBODY,
            resources,
            transports,
            resolver,
            limits.dialTimeout());
    server = RawServer.saying("no libp2p here".getBytes(java.nio.charset.StandardCharsets.UTF_8));
    port = server.address().value("tcp").orElseThrow();
  }

  @AfterEach
  void end() throws Exception {
    dialer.close();
    resolver.close();
    server.close();
    group.shutdownGracefully(0, 10, TimeUnit.SECONDS).await(10_000);
  }

  private static InetAddress[] lookUp(String name) throws UnknownHostException {
    if (name.equals("several.example")) {
      return new InetAddress[] {
        InetAddress.getByName("127.0.0.1"), InetAddress.getByName("127.0.0.2")
      };
    }
    return InetAddress.getAllByName(NAMES.getOrDefault(name, name));
  }

  private void told(AddressScope met, String address) {
    book.connected(stranger);
    book.told(
        stranger,
        new Identify(null, null, null, List.of(Multiaddr.parse(address)), null, List.of()),
        met);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/dns4/localhost",
        "/dns/127.0.0.1",
        "/dns4/127.1",
        "/dns/0.0.0.0",
        "/dns4/trap.example",
        "/dns/mapped.example",
        "/dns/wildcard.example",
        "/dns/several.example"
      })
  @DisplayName("A name that stands for this machine is not dialled if a stranger told it")
  void toldNameForThisMachine(String name) {
    for (AddressScope met : List.of(AddressScope.ANYWHERE, AddressScope.SITE)) {
      told(met, name + "/tcp/" + port);
      assertThat(book.addresses(stranger)).hasSize(1);
      assertThat(failure(dialer.connect(stranger)))
          .isInstanceOf(DialException.class)
          .hasMessageContainingAll(stranger.toString(), name, "told", "this machine");
    }
    assertThat(server.accepted).hasValue(0);
  }

  @Test
  @DisplayName(
      "A name that stands for a private network is not dialled for a stranger from elsewhere")
  void toldNameForAPrivateNetwork() {
    told(AddressScope.ANYWHERE, "/dns4/site.example/tcp/" + port);
    assertThat(failure(dialer.connect(stranger))).hasMessageContaining("a private network");
  }

  @ParameterizedTest
  @ValueSource(strings = {"/ip4/127.0.0.1", "/ip6/::ffff:127.0.0.1", "/ip4/0.0.0.0", "/ip6/::"})
  @DisplayName("An address of this machine is not even kept if a stranger told it")
  void toldAddressOfThisMachine(String ip) {
    told(AddressScope.SITE, ip + "/tcp/" + port);
    assertThat(failure(dialer.connect(stranger))).hasMessageContaining("no address");
  }

  @Test
  @DisplayName("An address of an interface of this machine is not dialled if a stranger told it")
  void toldAddressOfAnInterface() throws Exception {
    List<InetAddress> own =
        java.net.NetworkInterface.networkInterfaces()
            .flatMap(java.net.NetworkInterface::inetAddresses)
            .filter(address -> address instanceof java.net.Inet4Address)
            .filter(address -> !address.isLoopbackAddress())
            .toList();
    for (InetAddress address : own) {
      String told = "/ip4/" + address.getHostAddress() + "/tcp/" + port;
      told(AddressScope.SITE, told);
      assertThat(failure(dialer.connect(stranger))).hasMessageContainingAll(told, "this machine");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"/ip4/127.0.0.1", "/ip6/::ffff:127.0.0.1", "/dns4/trap.example"})
  @DisplayName("What a peer on this machine told, or the user gave, is dialled")
  void addressesFromThisMachineOrTheUser(String address) {
    told(AddressScope.MACHINE, address + "/tcp/" + port);
    assertThat(failure(dialer.connect(stranger))).hasMessageContaining("does not speak libp2p");
    eventually("dialled", () -> server.accepted.get() == 1);

    PeerId friend = PeerId.of(PrivateKey.generateEd25519().publicKey());
    book.add(friend, Multiaddr.parse(address + "/tcp/" + port));
    assertThat(failure(dialer.connect(friend))).hasMessageContaining("does not speak libp2p");
    eventually("dialled", () -> server.accepted.get() == 2);
  }

  @Test
  @DisplayName("An address that the user gives is dialled, also if a stranger has told it before")
  void givenAddressThatAStrangerTold() {
    Multiaddr trap = Multiaddr.parse("/dns4/trap.example/tcp/" + port);
    told(AddressScope.ANYWHERE, trap.toString());
    assertThat(failure(dialer.connect(stranger))).hasMessageContaining("this machine");
    assertThat(failure(dialer.connect(trap.withPeerId(stranger))))
        .hasMessageContaining("does not speak libp2p");
    eventually("dialled", () -> server.accepted.get() == 1);
  }
}
