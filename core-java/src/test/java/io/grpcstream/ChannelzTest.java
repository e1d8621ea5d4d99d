package io.grpcstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.ManagedChannel;
import io.grpc.channelz.v1.ChannelzGrpc;
import io.grpc.channelz.v1.GetServerSocketsRequest;
import io.grpc.channelz.v1.GetServersRequest;
import io.grpc.channelz.v1.GetSocketRequest;
import io.grpc.channelz.v1.GetSubchannelRequest;
import io.grpc.channelz.v1.GetTopChannelsRequest;
import io.grpc.channelz.v1.Socket;
import io.grpc.protobuf.services.ChannelzService;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.Stream;
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
          channelz.getServers(GetServersRequest.getDefaultInstance()).getServerList().stream()
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
          channelz
              .getTopChannels(GetTopChannelsRequest.getDefaultInstance())
              .getChannelList()
              .stream()
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

  private static String name(Socket socket) {
    return socket.getSecurity().getOther().getName();
  }

  private static Socket socket(ChannelzGrpc.ChannelzBlockingStub channelz, long id) {
    return channelz.getSocket(GetSocketRequest.newBuilder().setSocketId(id).build()).getSocket();
  }
}
