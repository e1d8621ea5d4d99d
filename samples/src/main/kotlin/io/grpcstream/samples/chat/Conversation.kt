package io.grpcstream.samples.chat

import io.grpc.Status
import io.grpc.StatusException
import io.grpcstream.chat.ChatMessage
import io.grpcstream.libp2p.Multiaddr
import io.grpcstream.libp2p.PeerId
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Job
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.receiveAsFlow
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull

/**
 * One call of `chat.Room/Join`, seen from either end.
 *
 * @property peer the peer at the other end, as the connection has authenticated it
 * @property caller which of the two made the call
 */
class Conversation(
    val peer: PeerId,
    val caller: PeerId,
) {
    private val outbox = Channel<ChatMessage>(ChatLimits.OUTBOX)
    private val cut = CompletableDeferred<Nothing>()
    private val entry = CompletableDeferred<Unit>()
    private val end = Job()

    /** What is to be sent; ends once the conversation is [closed][close]. For one collector. */
    val outgoing: Flow<ChatMessage> = outbox.receiveAsFlow()

    /** Where others reach the peer, as it says itself; set before it has entered. */
    @Volatile
    var addresses: List<Multiaddr> = emptyList()

    /** Queues [message]; false if it had to be left out, as the queue is full or closed. */
    fun offer(message: ChatMessage): Boolean = outbox.trySend(message).isSuccess

    /** Ends our half, once what is queued has been sent. */
    fun close() {
        outbox.close()
    }

    /** Ends the call at once with [status], whatever is queued. */
    fun cut(status: Status) {
        cut.completeExceptionally(StatusException(status))
    }

    /** Whether the peer has said that it is here, and is in the room. */
    @Volatile
    var hasEntered: Boolean = false
        private set

    /** The peer has entered. */
    fun entered() {
        hasEntered = true
        entry.complete(Unit)
    }

    /** Returns once the peer has entered; fails as the call did, if it ended before. */
    suspend fun awaitEntry(): Unit = entry.await()

    /** Returns once the call has ended. */
    suspend fun awaitEnd(): Unit = end.join()

    /**
     * Runs the call: [block] until it returns, the conversation is [cut], or the peer has not
     * entered within [ChatLimits.GREETING].
     */
    suspend fun run(block: suspend () -> Unit) {
        try {
            coroutineScope {
                val watch =
                    launch {
                        withTimeoutOrNull(ChatLimits.GREETING) { awaitEntry() } ?: cut(SILENT)
                        cut.await()
                    }
                block()
                watch.cancel()
            }
        } catch (e: StatusException) {
            entry.completeExceptionally(e)
            throw e
        } finally {
            outbox.close()
            entry.completeExceptionally(StatusException(UNANSWERED))
            end.complete()
        }
    }

    private companion object {
        val UNANSWERED: Status =
            Status.UNAVAILABLE.withDescription(
                "the peer ended the call before it said that it is here",
            )
        val SILENT: Status =
            Status.DEADLINE_EXCEEDED.withDescription(
                "the peer did not say within ${ChatLimits.GREETING} that it is here",
            )
    }
}
