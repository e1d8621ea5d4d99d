package io.grpcstream.samples.peercurl.doors

import com.google.gson.JsonArray
import com.google.gson.JsonObject
import io.grpcstream.GrpcPeer
import io.grpcstream.GrpcStream
import io.grpcstream.PeerAuthorizer
import io.grpcstream.kotlin.GrpcPeerBuilder
import io.grpcstream.libp2p.PeerId
import io.grpcstream.samples.peercurl.Failure
import io.grpcstream.samples.peercurl.HostOptions
import io.netty.channel.EventLoopGroup
import picocli.CommandLine.Command
import picocli.CommandLine.Mixin
import picocli.CommandLine.Option
import picocli.CommandLine.Parameters
import kotlin.time.Duration

/** A door for peers to a gRPC server of TCP. */
@Command(
    name = "expose",
    header = ["Make a gRPC server that listens on TCP a peer."],
    description = [
        "Peers that call this one reach the server at TARGET, in whatever language it is, " +
            "by HTTP/2 in plaintext. It sees the caller's peer id, proven, in the header " +
            "x-libp2p-peer-id, in which nobody else can write. Until Ctrl-C; with -v it shows " +
            "the calls.",
        "",
        "TARGET is HOST:PORT, or a PORT of this machine (127.0.0.1).",
    ],
)
internal class ExposeCommand : DoorCommand() {
    @Mixin
    lateinit var options: HostOptions

    @Parameters(index = "0", paramLabel = "TARGET", description = ["The server's TCP address."])
    lateinit var target: String

    @Option(
        names = ["--listen"],
        paramLabel = "MULTIADDR",
        description = [
            "Listen there for peers, such as /ip4/0.0.0.0/tcp/4001; repeatable " +
                "(default: $LOCAL, this machine alone).",
        ],
    )
    var listen: List<String> = emptyList()

    @Option(
        names = ["--allow"],
        paramLabel = "PEERID",
        description = ["Let this peer in, and no other; repeatable (default: every peer)."],
    )
    var allow: List<String> = emptyList()

    @Option(
        names = ["--protocol"],
        paramLabel = "ID",
        description = ["The protocol id of gRPC here (default: ${GrpcStream.PROTOCOL})."],
    )
    var protocol: String = GrpcStream.PROTOCOL

    override fun configure(builder: GrpcPeerBuilder) {
        options.configure(builder)
        for (address in listen.ifEmpty { listOf(LOCAL) }) {
            try {
                builder.listen(address)
            } catch (e: IllegalArgumentException) {
                throw Failure.usage("--listen $address: ${e.message}", e)
            }
        }
    }

    override suspend fun open(
        loops: EventLoopGroup,
        peer: GrpcPeer,
    ): suspend (Duration) -> Unit {
        val server = addressOf(target).toTarget()
        val limit = maxConnections ?: ExposeDoor.DEFAULT_MAX_CONNECTIONS
        val door = ExposeDoor(server, authorizer(), limit, events.showsCalls, events)
        peer.host().handle(protocol, door)
        tell(peer, server)
        return { grace ->
            peer.host().unhandle(protocol, door)
            door.shutdown(grace)
        }
    }

    private fun authorizer(): PeerAuthorizer {
        if (allow.isEmpty()) return PeerAuthorizer { _, _ -> true }
        val allowed =
            allow
                .map {
                    try {
                        PeerId.parse(it)
                    } catch (e: IllegalArgumentException) {
                        throw Failure.usage("--allow $it: ${e.message}", e)
                    }
                }.toSet()
        return PeerAuthorizer { peer, _ -> peer in allowed }
    }

    private fun tell(
        peer: GrpcPeer,
        server: TcpTarget,
    ) {
        val addresses = peer.addresses().map { it.toString() }
        if (console.json) {
            val line = JsonObject()
            line.addProperty("event", "listening")
            line.addProperty("peer", peer.peerId().toString())
            line.add("addresses", JsonArray().apply { addresses.forEach(::add) })
            line.addProperty("target", server.toString())
            return console.println(line.toString())
        }
        addresses.forEach { console.println("$it leads to $server") }
        val option =
            (if (protocol == GrpcStream.PROTOCOL) "" else " --protocol $protocol") +
                if (allow.isEmpty()) "" else " --identity FILE"
        hint("try: peercurl list$option ${addresses.first()}")
        hint("or:  peercurl forward$option 50051 ${addresses.first()}")
        if (allow.isEmpty()) hint("every peer may call; --allow PEERID names those that may")
    }

    private fun hint(text: String) = console.note(console.errStyle.faint(text))

    private companion object {
        const val LOCAL = "/ip4/127.0.0.1/tcp/0"
    }
}
