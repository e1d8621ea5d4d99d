package io.grpcstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.channelz.v1.Channel;
import io.grpc.channelz.v1.ChannelzGrpc;
import io.grpc.channelz.v1.GetServerSocketsRequest;
import io.grpc.channelz.v1.GetServersRequest;
import io.grpc.channelz.v1.GetServersResponse;
import io.grpc.channelz.v1.GetSocketRequest;
import io.grpc.channelz.v1.GetSubchannelRequest;
import io.grpc.channelz.v1.GetTopChannelsRequest;
import io.grpc.channelz.v1.GetTopChannelsResponse;
import io.grpc.channelz.v1.Socket;
import io.grpc.channelz.v1.Subchannel;
import io.grpc.protobuf.services.ChannelzService;
import io.grpcstream.libp2p.Connection;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.Stream;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What gRPC's channelz shows of transports over streams. */
@Timeout(60)
class ChannelzTest {
  @Test
  @DisplayName("Sockets of both sides show the peers, and the addresses of the connection below")
  void socketsShowPeersAndAddresses() {
    try (Hosts hosts = new Hosts()) {
      Host listener = hosts.start(Hosts.TCP);
      Host opener = hosts.start(Hosts.TCP);
      GrpcStream grpc =
          GrpcStream.builder()
              .addService(Echo.service())
              .addService(ChannelzService.newInstance(100))
              .build()
              .serve();
      Stream stream = Hosts.open(opener, listener, grpc.handler());
      ManagedChannel channel = GrpcStream.wrapClient(stream);
      var channelz = ChannelzGrpc.newBlockingStub(channel);

      Socket served =
          servers(channelz).stream()
              .flatMap(
                  server ->
                      channelz
                          .getServerSockets(
                              GetServerSocketsRequest.newBuilder()
                                  .setServerId(server.getRef().getServerId())
                                  .build())
                          .getSocketRefList()
                          .stream())
              .map(ref -> socket(channelz, ref.getSocketId()))
              .filter(s -> name(s).endsWith("" + listener.peerId()))
              .findAny()
              .orElseThrow();
      Socket called =
          topChannels(channelz).stream()
              .flatMap(top -> top.getSubchannelRefList().stream())
              .map(
                  ref ->
                      channelz.getSubchannel(
                          GetSubchannelRequest.newBuilder()
                              .setSubchannelId(ref.getSubchannelId())
                              .build()))
              .flatMap(sub -> sub.getSubchannel().getSocketRefList().stream())
              .map(ref -> socket(channelz, ref.getSocketId()))
              .filter(s -> name(s).endsWith("" + opener.peerId()))
              .findAny()
              .orElseThrow();

      PeerAddress openers = new PeerAddress(opener.peerId(), stream.localAddress());
      PeerAddress listeners = new PeerAddress(listener.peerId(), stream.remoteAddress());
      assertThat(name(served)).isEqualTo("libp2p, peer %s, local %s", openers, listeners);
      assertThat(name(called)).isEqualTo("libp2p, peer %s, local %s", listeners, openers);
      // Those of the connection below the stream.
      int openersPort = Integer.parseInt(stream.localAddress().value("tcp").orElseThrow());
      int listenersPort = Integer.parseInt(stream.remoteAddress().value("tcp").orElseThrow());
      assertThat(served.getRemote().getTcpipAddress().getPort()).isEqualTo(openersPort);
      assertThat(served.getLocal().getTcpipAddress().getPort()).isEqualTo(listenersPort);
      assertThat(called.getRemote().getTcpipAddress().getPort()).isEqualTo(listenersPort);
      assertThat(called.getLocal().getTcpipAddress().getPort()).isEqualTo(openersPort);
      Hosts.await(grpc.shutdown(java.time.Duration.ZERO));
    }
  }

  @Test
  @DisplayName(
      "Over its own channelz a peer shows its channels to peers, with the ids of both ends")
  void aPeerShowsItsChannels() throws Exception {
    try (Hosts hosts = new Hosts()) {
      Host peer = hosts.start(Hosts.TCP);
      Host caller = hosts.start(Hosts.TCP);
      Server server =
          PeerServerBuilder.forProtocol(peer, Wire.PROTOCOL).channelz().reflection().build();
      server.start();
      ManagedChannel channel =
          PeerChannelBuilder.forAddress(caller, Hosts.address(peer), Wire.PROTOCOL).build();
      var channelz = ChannelzGrpc.newBlockingStub(channel);

      String target = "libp2p:" + Hosts.address(peer) + "?protocol=" + Wire.PROTOCOL;
      Channel ours =
          topChannels(channelz).stream()
              .filter(top -> top.getData().getTarget().equals(target))
              .findAny()
              .orElseThrow();
      assertThat(ours.getData().getState().getState()).hasToString("READY");
      assertThat(ours.getSubchannelRefList()).hasSize(1);
      Subchannel subchannel =
          channelz
              .getSubchannel(
                  GetSubchannelRequest.newBuilder()
                      .setSubchannelId(ours.getSubchannelRef(0).getSubchannelId())
                      .build())
              .getSubchannel();
      assertThat(subchannel.getData().getTarget()).contains(peer.peerId().toString());
      assertThat(subchannel.getSocketRefList()).hasSize(1);
      Socket socket = socket(channelz, subchannel.getSocketRef(0).getSocketId());
      Connection below = caller.connections().get(0);
      assertThat(name(socket))
          .isEqualTo(
              "libp2p, peer %s, local %s",
              new PeerAddress(peer.peerId(), below.remoteAddress()),
              new PeerAddress(caller.peerId(), below.localAddress()));
      channel.shutdownNow();
      assertThat(channel.awaitTermination(20, TimeUnit.SECONDS)).isTrue();
      server.shutdownNow();
    }
  }

  /** All of this JVM's servers: more than one page, where others have not ended yet. */
  private static List<io.grpc.channelz.v1.Server> servers(
      ChannelzGrpc.ChannelzBlockingStub channelz) {
    List<io.grpc.channelz.v1.Server> all = new ArrayList<>();
    GetServersResponse page;
    do {
      long next = all.isEmpty() ? 0 : all.get(all.size() - 1).getRef().getServerId() + 1;
      page = channelz.getServers(GetServersRequest.newBuilder().setStartServerId(next).build());
      all.addAll(page.getServerList());
    } while (!page.getEnd());
    return all;
  }

  private static List<Channel> topChannels(ChannelzGrpc.ChannelzBlockingStub channelz) {
    List<Channel> all = new ArrayList<>();
    GetTopChannelsResponse page;
    do {
      long next = all.isEmpty() ? 0 : all.get(all.size() - 1).getRef().getChannelId() + 1;
      page =
          channelz.getTopChannels(
              GetTopChannelsRequest.newBuilder().setStartChannelId(next).build());
      all.addAll(page.getChannelList());
    } while (!page.getEnd());
    return all;
  }

  private static String name(Socket socket) {
    return socket.getSecurity().getOther().getName();
  }

  private static Socket socket(ChannelzGrpc.ChannelzBlockingStub channelz, long id) {
    return channelz.getSocket(GetSocketRequest.newBuilder().setSocketId(id).build()).getSocket();
  }
}
