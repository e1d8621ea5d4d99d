package io.grpcstream.samples.edge

import com.google.protobuf.Empty
import io.grpc.ManagedChannel
import io.grpc.Status
import io.grpc.StatusException
import io.grpcstream.GrpcStream
import io.grpcstream.edge.DiscoveryGrpcKt.DiscoveryCoroutineStub
import io.grpcstream.edge.IdentityGrpcKt.IdentityCoroutineStub
import io.grpcstream.edge.SyncPeerGrpcKt.SyncPeerCoroutineStub
import io.grpcstream.edge.findPeersReq
import io.grpcstream.kotlin.grpcChannel
import io.grpcstream.kotlin.open
import io.grpcstream.kotlin.use
import io.grpcstream.kotlin.withCallerContext
import io.grpcstream.kotlin.withDeadline
import io.grpcstream.libp2p.Host
import io.grpcstream.libp2p.Multiaddr
import io.grpcstream.libp2p.PeerId
import io.grpcstream.libp2p.ProtocolNotSupportedException
import io.grpcstream.libp2p.Stream
import java.io.IOException
import kotlin.time.Duration

/**
 * The calls to connected peers, each over a stream of its own. They fail with [StatusException], whose
 * description names the peer and what it was asked.
 *
 * @param host whose connections carry the streams
 * @param self what to say of this peer
 * @param answer how long another peer has to answer, from opening the stream on
 */
internal class EdgeCalls(
    private val host: Host,
    private val self: Introduction,
    private val answer: Duration,
) {
    /** Introduces this peer to [peer], and learns the same of it. */
    suspend fun hello(peer: PeerId): Introduction {
        val said =
            try {
                call(peer, EdgeProtocols.IDENTITY, "Hello") {
                    IdentityCoroutineStub(it).withCallerContext().hello(self.message())
                }
            } catch (e: StatusException) {
                throw if (e.isHangUp()) StatusException(hungUp(peer, e), e.trailers) else e
            }
        return self.check(said, peer)
    }

    /** The addresses of up to [count] peers that [peer] knows, each with its peer id. */
    suspend fun findPeers(
        peer: PeerId,
        count: Int,
    ): List<Multiaddr> {
        val found =
            call(peer, EdgeProtocols.DISCOVERY, "FindPeers") {
                DiscoveryCoroutineStub(it)
                    .withCallerContext()
                    .findPeers(findPeersReq { this.count = count.toLong() })
            }
        if (found.nodesCount > count) {
            val what = "peer $peer told of ${found.nodesCount} peers, asked for at most $count"
            throw StatusException(Status.INTERNAL.withDescription(what))
        }
        return found.nodesList.map { address(it, peer) }
    }

    /** The height of the newest block that [peer] has. */
    suspend fun newestBlock(peer: PeerId): ULong =
        call(peer, EdgeProtocols.SYNCER, "GetStatus") {
            SyncPeerCoroutineStub(it).withCallerContext().getStatus(Empty.getDefaultInstance())
        }.number.toULong()

    private suspend fun <T> call(
        peer: PeerId,
        protocol: String,
        what: String,
        make: suspend (ManagedChannel) -> T,
    ): T =
        try {
            withDeadline(answer) {
                val limited =
                    open(peer, protocol)
                        .grpcChannel { maxInboundMessageSize(EdgeLimits.MESSAGE_BYTES) }
                limited.use { make(it) }
            }
        } catch (e: StatusException) {
            val why =
                if (e.status.code == Status.Code.DEADLINE_EXCEEDED) {
                    "no answer within $answer"
                } else {
                    e.status.description
                }
            throw StatusException(
                e.status.withDescription("$what, asked of peer $peer: $why"),
                e.trailers,
            )
        }

    /**
     * Over a connection that there is. A peer that hangs up is not dialled: as whoever connects is
     * greeted, one that always hangs up would be dialled for ever.
     */
    private suspend fun open(
        peer: PeerId,
        protocol: String,
    ): Stream {
        var status = notConnected(peer)
        for (connection in host.connections(peer)) {
            try {
                return connection.open(protocol)
            } catch (e: IOException) {
                status = GrpcStream.statusOf(e)
            }
        }
        throw StatusException(status)
    }
}

private fun StatusException.isHangUp() =
    status.code == Status.Code.UNAVAILABLE && status.cause !is ProtocolNotSupportedException

/**
 * How a peer refuses another without a word: it ends the connection, at whatever step of the Hello
 * that strikes.
 */
private fun hungUp(
    peer: PeerId,
    cause: StatusException,
) = Status.UNAVAILABLE
    .withDescription(
        "peer $peer refused this one: it hung up before they had introduced themselves, " +
            "as a node does that has no slot free",
    ).withCause(cause)

private fun address(
    text: String,
    teller: PeerId,
): Multiaddr {
    val address =
        try {
            Multiaddr.parse(text)
        } catch (e: IllegalArgumentException) {
            throw malformed("peer $teller told of a peer whose address is none: ${e.message}", e)
        }
    if (address.peerId().isEmpty) {
        throw malformed("peer $teller told of an address without a peer id: $address", null)
    }
    return address
}

private fun malformed(
    what: String,
    cause: Throwable?,
) = StatusException(Status.INTERNAL.withDescription(what).withCause(cause))
