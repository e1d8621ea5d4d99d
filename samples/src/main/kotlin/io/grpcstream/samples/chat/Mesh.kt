package io.grpcstream.samples.chat

import io.grpc.StatusException
import io.grpcstream.GrpcStream
import io.grpcstream.chat.RoomGrpcKt.RoomCoroutineStub
import io.grpcstream.kotlin.open
import io.grpcstream.libp2p.Host
import io.grpcstream.libp2p.Multiaddr
import io.grpcstream.libp2p.PeerId
import io.grpcstream.libp2p.Stream
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.launch
import java.io.IOException

/**
 * Calls the peers of the room. The conversations are children of [scope]; none can fail it.
 *
 * @param tell hears of the peers that cannot be met
 */
class Mesh(
    private val host: Host,
    private val room: Room,
    private val scope: CoroutineScope,
    private val tell: suspend (RoomEvent) -> Unit,
) {
    /**
     * Joins the room of the peer at [address], and returns once we are in.
     *
     * Fails with [StatusException] if that peer cannot be reached or does not let us in.
     */
    suspend fun join(address: Multiaddr): PeerId =
        orStatus {
            val stream = host.open(address, PROTOCOL)
            converse(stream).awaitEntry()
            stream.remotePeer()
        }

    /** Meets those of whom others tell, for as long as the coroutine lives. */
    suspend fun meetStrangers() {
        for ((peer, addresses) in room.strangers) {
            if (peer !in room) {
                addresses.forEach { host.addAddress(peer, it) }
                scope.launch { meet(peer) }
            }
        }
    }

    private suspend fun meet(peer: PeerId) {
        try {
            orStatus { converse(host.open(peer, PROTOCOL)).awaitEntry() }
        } catch (e: StatusException) {
            if (peer !in room) { // It may have met us meanwhile.
                tell(RoomEvent.Unreachable(peer, "${e.status.code}: ${e.status.description}"))
            }
        }
    }

    /** Calls the peer at the other end of [stream], which is ours from here on. */
    private fun converse(stream: Stream): Conversation {
        val conversation = Conversation(stream.remotePeer(), caller = room.self)
        conversation.offer(room.here())
        val channel =
            GrpcStream
                .wrapClientBuilder(stream)
                .maxInboundMessageSize(ChatLimits.MESSAGE_BYTES)
                .build()
        scope.launch {
            try {
                val incoming = RoomCoroutineStub(channel).join(conversation.outgoing)
                conversation.run { room.hear(conversation, incoming) }
            } catch (_: StatusException) {
                // Whoever waits for the entry gets it; later the room has told that the peer left.
            } finally {
                channel.shutdown()
            }
        }
        return conversation
    }

    private suspend fun <T> orStatus(block: suspend () -> T): T =
        try {
            block()
        } catch (e: IOException) {
            throw GrpcStream.statusOf(e).asException()
        }

    companion object {
        /** The libp2p protocol id under which the peers of a room speak gRPC. */
        const val PROTOCOL: String = "/chat/1.0.0"
    }
}
