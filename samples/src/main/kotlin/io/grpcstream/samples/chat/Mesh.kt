package io.grpcstream.samples.chat

import io.grpc.ManagedChannel
import io.grpc.ManagedChannelBuilder
import io.grpc.StatusException
import io.grpcstream.chat.RoomGrpcKt.RoomCoroutineStub
import io.grpcstream.kotlin.grpcChannel
import io.grpcstream.libp2p.Host
import io.grpcstream.libp2p.Multiaddr
import io.grpcstream.libp2p.PeerId
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import java.util.concurrent.ConcurrentHashMap
import kotlin.jvm.optionals.getOrNull

/**
 * Calls the peers of the room, each at most once at a time. The conversations are children of
 * [scope]; none can fail it.
 *
 * @param tell hears of the peers that cannot be met
 */
class Mesh(
    private val host: Host,
    private val room: Room,
    private val scope: CoroutineScope,
    private val tell: suspend (RoomEvent) -> Unit,
) {
    private val called = ConcurrentHashMap.newKeySet<PeerId>()

    /**
     * Joins the room of the peer at [address], and returns once we are in.
     *
     * Fails with [StatusException] if that peer cannot be reached or does not let us in.
     */
    suspend fun join(address: Multiaddr) {
        val peer =
            address.peerId().getOrNull()
                ?: throw invalid("$address does not name a peer: it lacks /p2p/ and the peer's id")
        called += peer
        meet(peer) { host.grpcChannel(address, PROTOCOL) { limit() } }
    }

    /**
     * Meets those of whom others tell, for as long as the coroutine lives: no more at once than fit
     * in the room, as a peer can tell of any number that are not there.
     */
    suspend fun meetStrangers() {
        coroutineScope {
            repeat(ChatLimits.PEERS) {
                launch {
                    for ((peer, addresses) in room.strangers) {
                        meetStranger(peer, addresses)
                    }
                }
            }
        }
    }

    private suspend fun meetStranger(
        peer: PeerId,
        addresses: List<Multiaddr>,
    ) {
        if (peer in room || !called.add(peer)) {
            return
        }
        addresses.forEach { host.addAddress(peer, it) }
        try {
            meet(peer) { host.grpcChannel(peer, PROTOCOL) { limit() } }
        } catch (e: StatusException) {
            tell(RoomEvent.Unreachable(peer, "${e.status.code}: ${e.status.description}"))
        }
    }

    /** Calls [peer] and returns once it is in the room, be it by a call that it has made. */
    private suspend fun meet(
        peer: PeerId,
        open: suspend () -> ManagedChannel,
    ) {
        try {
            converse(peer, open()).awaitEntry()
        } catch (e: StatusException) {
            called -= peer
            if (peer !in room) {
                throw e
            }
        }
    }

    /** Calls the peer by [channel], which is ours from here on. */
    private fun converse(
        peer: PeerId,
        channel: ManagedChannel,
    ): Conversation {
        val conversation = Conversation(peer, caller = room.self)
        conversation.offer(room.here())
        scope.launch {
            try {
                val incoming = RoomCoroutineStub(channel).join(conversation.outgoing)
                conversation.run { room.hear(conversation, incoming) }
            } catch (_: StatusException) {
                // Whoever waits for the entry gets it; later the room has told that the peer left.
            } finally {
                channel.shutdown()
                called -= peer
            }
        }
        return conversation
    }

    private fun ManagedChannelBuilder<*>.limit() {
        maxInboundMessageSize(ChatLimits.MESSAGE_BYTES)
    }

    companion object {
        /** The libp2p protocol id under which the peers of a room speak gRPC. */
        const val PROTOCOL: String = "/chat/1.0.0"
    }
}
