package io.grpcstream.samples.peercurl

import io.grpc.ManagedChannel
import io.grpc.StatusException
import io.grpcstream.GrpcPeer
import io.grpcstream.GrpcStream
import io.grpcstream.kotlin.connectAndAwait
import io.grpcstream.kotlin.peerChannel
import io.grpcstream.kotlin.withGrpcPeer
import io.grpcstream.libp2p.Connection
import io.grpcstream.libp2p.Host
import io.grpcstream.libp2p.PeerId
import io.grpcstream.libp2p.ProtocolNotSupportedException
import kotlinx.coroutines.CoroutineScope
import picocli.CommandLine.Mixin
import picocli.CommandLine.Parameters
import kotlin.time.Duration.Companion.seconds

/** A command whose first word is the address of a peer. */
internal abstract class DialingCommand : PeercurlCommand() {
    @Mixin
    lateinit var options: PeerOptions

    @Parameters(index = "0", paramLabel = "ADDRESS", description = ["The peer's multiaddr."])
    lateinit var target: Target

    /** Runs [block] with a host of the options that knows where the peer is, and ends the host. */
    protected suspend fun <T> withHost(block: suspend CoroutineScope.(GrpcPeer) -> T): T =
        withGrpcPeer({ options.host.configure(this) }) { peer ->
            target.peer?.let { id -> target.addresses.forEach { peer.host().addAddress(id, it) } }
            block(peer)
        }

    /** A connection to the peer, or to whoever is there if the address names none. */
    protected suspend fun GrpcPeer.connect(): Connection =
        console.progress("connecting to ${target.short} …").use {
            target.peer?.let { host().connectAndAwait(it) }
                ?: host().connectAndAwait(target.addresses.first())
        }

    /** Runs [block] with a channel to the peer. */
    protected suspend fun <T> withChannel(block: suspend CoroutineScope.(ManagedChannel) -> T): T {
        val id = target.requirePeer()
        val protocol = options.protocolFor(target)
        return withHost { peer ->
            val channel =
                peer.host().peerChannel(id, protocol) {
                    userAgent("peercurl/${Version.number}")
                    maxInboundMessageSize(maxMessageBytes)
                }
            try {
                block(channel)
            } catch (e: StatusException) {
                throw if (isOfProtocol(e)) Failure.of(e.status, protocolsOf(peer.host(), id)) else e
            } finally {
                channel.shutdownNow()
            }
        }
    }

    private fun isOfProtocol(failure: Throwable): Boolean =
        generateSequence(failure) { it.cause }.any { it is ProtocolNotSupportedException }

    private fun isCommon(protocol: String): Boolean =
        protocol.startsWith("/ipfs/") ||
            (protocol.startsWith("/libp2p/") && protocol != GrpcStream.PROTOCOL)

    /** What the peer speaks, apart from what all do. */
    private suspend fun protocolsOf(
        host: Host,
        id: PeerId,
    ): List<String> {
        val info = host.connections(id).firstOrNull()?.awaitPeerInfo(IDENTIFY_TIME)
        val own = info?.protocols.orEmpty().filterNot(::isCommon)
        return if (own.isEmpty()) {
            emptyList()
        } else {
            listOf(
                "--protocol chooses another one; it has ${own.joinToString(limit = 10)}",
            )
        }
    }

    /** The largest message that is taken, in bytes: gRPC's own limit, unless a command has it otherwise. */
    protected open val maxMessageBytes: Int get() = 4 shl 20

    private companion object {
        val IDENTIFY_TIME = 2.seconds
    }
}
