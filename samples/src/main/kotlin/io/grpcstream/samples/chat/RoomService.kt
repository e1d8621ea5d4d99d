package io.grpcstream.samples.chat

import io.grpcstream.chat.ChatMessage
import io.grpcstream.chat.RoomGrpcKt.RoomCoroutineImplBase
import io.grpcstream.kotlin.currentPeer
import io.grpcstream.libp2p.PeerId
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.emitAll
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull

/** The end of a conversation that was called. */
class RoomService(
    private val room: Room,
) : RoomCoroutineImplBase() {
    override fun join(requests: Flow<ChatMessage>): Flow<ChatMessage> =
        flow { emitAll(join(currentPeer().peerId(), requests)) }

    /** What to answer [caller], who sends [requests]. */
    internal fun join(
        caller: PeerId,
        requests: Flow<ChatMessage>,
    ): Flow<ChatMessage> =
        flow {
            val conversation = Conversation(caller, caller)
            conversation.run {
                coroutineScope {
                    val hearing = launch { room.hear(conversation, requests) }
                    emitAll(conversation.outgoing)
                    // Our half has ended; what the peer said before it hears of that still counts.
                    withTimeoutOrNull(ChatLimits.GOODBYE) { hearing.join() }
                    hearing.cancel()
                }
            }
        }
}
