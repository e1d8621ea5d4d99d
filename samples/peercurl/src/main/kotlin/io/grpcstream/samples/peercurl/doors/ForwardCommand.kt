package io.grpcstream.samples.peercurl.doors

import com.google.gson.JsonObject
import io.grpcstream.GrpcPeer
import io.grpcstream.GrpcStream
import io.grpcstream.kotlin.GrpcPeerBuilder
import io.grpcstream.libp2p.Connection
import io.grpcstream.samples.peercurl.Failure
import io.grpcstream.samples.peercurl.PeerOptions
import io.grpcstream.samples.peercurl.Target
import io.netty.channel.EventLoopGroup
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.delay
import kotlinx.coroutines.future.await
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import picocli.CommandLine.Command
import picocli.CommandLine.Mixin
import picocli.CommandLine.Parameters
import java.io.IOException
import java.net.InetSocketAddress
import java.net.UnknownHostException
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** A local door to a peer. */
@Command(
    name = "forward",
    header = ["Open a local TCP port to a peer, for any gRPC client."],
    description = [
        "Whoever dials LISTEN by HTTP/2 in plaintext, such as grpcurl -plaintext, grpcui, ghz or " +
            "Postman, calls the peer at ADDRESS, as this peer: each TCP connection gets a " +
            "stream of its own, through which its bytes pass untouched. Until Ctrl-C; " +
            "with -v it shows the calls.",
        "",
        "LISTEN is HOST:PORT, or a PORT of this machine alone (127.0.0.1); 0 is any free one.",
    ],
)
internal class ForwardCommand : DoorCommand() {
    @Mixin
    lateinit var options: PeerOptions

    @Parameters(index = "0", paramLabel = "LISTEN", description = ["TCP address, such as 50051."])
    lateinit var listen: String

    @Parameters(index = "1", paramLabel = "ADDRESS", description = ["The peer's multiaddr."])
    lateinit var target: Target

    override fun configure(builder: GrpcPeerBuilder) = options.host.configure(builder)

    override suspend fun open(
        loops: EventLoopGroup,
        peer: GrpcPeer,
    ): suspend (Duration) -> Unit {
        val id = target.requirePeer()
        val place = addressOf(listen)
        val address = withContext(Dispatchers.IO) { resolve(place) }
        val protocol = options.protocolFor(target)
        val host = peer.host()
        val limit = maxConnections ?: ForwardDoor.DEFAULT_MAX_CONNECTIONS
        val door =
            ForwardDoor(loops, "peer $id", limit, events.showsCalls, events) {
                host.newStream(id, target.addresses, protocol)
            }
        tell(door.start(address), place.host)
        console.progress("connecting to $target …").use { look(peer, protocol) }
        host.keepConnected(id, target.addresses) // Until the host ends.
        return { door.shutdown(it) }
    }

    private fun resolve(listen: HostAndPort): InetSocketAddress =
        try {
            listen.toListen()
        } catch (e: UnknownHostException) {
            throw Failure.usage("$listen: there is no host ${listen.host}", e)
        }

    private fun tell(
        bound: InetSocketAddress,
        host: String,
    ) {
        val port = bound.port
        val place = if (':' in host) "[$host]:$port" else "$host:$port"
        if (console.json) {
            val line = JsonObject()
            line.addProperty("event", "listening")
            line.addProperty("address", place)
            line.addProperty("peer", target.peer.toString())
            console.println(line.toString())
        } else {
            val local = if (bound.address.isAnyLocalAddress) "127.0.0.1:$port" else place
            console.println("$place leads to $target")
            console.note(console.errStyle.faint("try: grpcurl -plaintext $local list"))
        }
        if (!bound.address.isLoopbackAddress) {
            events(
                DoorEvent.Warned("whoever reaches $place calls the peer with this peer's identity"),
            )
        }
    }

    /** Tells at once what calls would run into; the door stays open, since the peer may come. */
    private suspend fun look(
        peer: GrpcPeer,
        protocol: String,
    ) {
        try {
            val connection = peer.host().connect(target.requirePeer(), target.addresses).await()
            val protocols = connection.awaitProtocols() ?: return
            if (protocol !in protocols) {
                val others = protocols.filterNot { it.startsWith("/ipfs/") }.sorted()
                val listed = others.joinToString().ifEmpty { "nothing beside libp2p's own" }
                events(
                    DoorEvent.Warned(
                        "the peer does not list $protocol: --protocol chooses another one; " +
                            "it has $listed",
                    ),
                )
            } else if (!console.json) {
                val address = connection.remoteAddress()
                console.verbose { "connected to ${connection.remotePeer()} at $address" }
            }
        } catch (e: IOException) {
            val status = GrpcStream.statusOf(e)
            val text = "${status.code}: ${status.description}; calls fail as long as that is so"
            events(DoorEvent.Warned(text))
        }
    }

    private suspend fun Connection.awaitProtocols(): List<String>? =
        withTimeoutOrNull(IDENTIFY_TIME) {
            while (peerInfo().isEmpty && isOpen) delay(POLL)
            peerInfo().orElse(null)?.protocols()?.toList()
        }

    private companion object {
        val IDENTIFY_TIME = 3.seconds
        val POLL = 5.milliseconds
    }
}
