package io.grpcstream.samples.peercurl

import io.grpc.ManagedChannel
import io.grpcstream.GrpcPeer
import io.grpcstream.kotlin.connectAndAwait
import io.grpcstream.kotlin.peerChannel
import io.grpcstream.kotlin.withGrpcPeer
import io.grpcstream.libp2p.Connection
import kotlinx.coroutines.CoroutineScope
import picocli.CommandLine.Mixin
import picocli.CommandLine.Parameters

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
        console.progress("connecting to $target …").use {
            target.peer?.let { host().connectAndAwait(it) } ?: host().connectAndAwait(target.addresses.first())
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
            } finally {
                channel.shutdownNow()
            }
        }
    }

    /** The largest message that is taken, in bytes: gRPC's own limit, unless a command has it otherwise. */
    protected open val maxMessageBytes: Int get() = 4 shl 20
}
