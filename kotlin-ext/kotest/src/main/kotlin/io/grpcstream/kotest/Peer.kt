package io.grpcstream.kotest

import io.grpc.ManagedChannel
import io.grpcstream.GrpcStream
import io.grpcstream.kotlin.open
import io.grpcstream.libp2p.Host
import io.grpcstream.libp2p.Multiaddr
import io.grpcstream.libp2p.PeerId
import io.grpcstream.libp2p.Stream
import java.util.concurrent.ConcurrentLinkedQueue

/**
 * One of the peers of a test: a host that listens in memory, and the [GrpcStream] that serves its
 * streams if the test asked for one. All functions may be called from any coroutine.
 */
public class Peer internal constructor(
    private val index: Int,
    /** The peer's host, started; the test need not shut it down. */
    public val host: Host,
    /** What [PeersBuilder.grpc] made for this peer, or null; the test need not shut it down. */
    public val grpc: GrpcStream?,
    /** The protocol that [grpc] handles, and the default one of streams opened to this peer. */
    public val protocol: String,
) {
    internal val channels = ConcurrentLinkedQueue<ManagedChannel>()

    /** The identity of this peer. */
    public val peerId: PeerId get() = host.peerId()

    /** Where the other peers reach this one, with its peer id; only while the peer is up. */
    public val address: Multiaddr get() =
        checkNotNull(host.listenAddresses().firstOrNull()) { "$this does not listen" }

    /**
     * Opens a stream to [other], over the connection to it if there is one; see [Host.newStream] for
     * how it fails. It is reset with the host if the test leaves it open.
     */
    public suspend fun open(
        other: Peer,
        protocol: String = other.protocol,
    ): Stream = host.open(other.address, protocol)

    /**
     * Opens a stream to [other] and makes a gRPC channel of it: by this peer's [grpc] if it has one,
     * so with the options that were set there. It is shut down after the test.
     *
     * Fails as [open] does.
     */
    public suspend fun channelTo(
        other: Peer,
        protocol: String = other.protocol,
    ): ManagedChannel {
        val stream = open(other, protocol)
        val channel = grpc?.client(stream) ?: GrpcStream.wrapClient(stream)
        channels += channel
        return channel
    }

    /** The peer's place among the [Peers] and its id. */
    override fun toString(): String = "peer $index ($peerId)"
}
