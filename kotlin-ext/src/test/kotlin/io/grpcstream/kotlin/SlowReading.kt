package io.grpcstream.kotlin

import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.flow.onCompletion
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration

/**
 * A call with one long flow of large messages, whose reader takes [TAKEN] of them and then no more
 * until [readOn]. Replies are read by the client, requests by the service; of a bidirectional call,
 * whose service echoes, the client reads what it wrote.
 *
 * ## The bound
 *
 * What the writer's flow may have been asked for beyond what the reader has taken is, each way,
 *
 * - what is **prefetched**: at most [PREFETCH] messages that were asked of gRPC and not taken;
 * - the **HTTP/2 window** of W bytes, with gRPC's and protobuf's own bytes of each message: it is
 *   given back for messages that were asked for, and for no others. 64 KiB at the start; it grows
 *   to 8 MiB with a reader that takes as much in a second;
 * - the **sender's queue** of less than 32 KiB, where gRPC is no longer ready, and the one message
 *   that was given while there was less;
 * - the **one message** that waits until gRPC is ready.
 *
 * @param length of the flow, in messages
 * @param pause of the reader before each message that it takes
 */
internal class SlowReading(
    private val kind: CallKind,
    private val length: Int,
    private val pause: Duration = Duration.ZERO,
) {
    private val written = AtomicInteger()
    private val gate = CompletableDeferred<Unit>()

    /** The numbers of the messages read, in the order in which they came. */
    val read = ConcurrentLinkedQueue<Int>()

    /** Completes, with the messages emitted so far, once the reader has taken [TAKEN] of them. */
    val paused = CompletableDeferred<Int>()

    /** Completes once the service is done with the call, or was cancelled. */
    val served = CompletableDeferred<Unit>()

    /** How many messages the writer's flow has been asked to produce. */
    fun emitted(): Int = written.get()

    fun readOn() = gate.complete(Unit)

    val handler: Handler = { requests ->
        flow {
            when (kind) {
                CallKind.UNARY -> {
                    error("a unary call has no flow")
                }

                CallKind.SERVER_STREAMING -> {
                    requests.collect { messages.collect(::emit) }
                }

                CallKind.BIDI_STREAMING -> {
                    requests.collect(::emit)
                }

                CallKind.CLIENT_STREAMING -> {
                    requests.collect(::take)
                    emit("read")
                }
            }
        }.onCompletion { served.complete(Unit) }
    }

    suspend fun run(client: GreeterClient) {
        kind.call(client, if (kind.manyRequests) messages else flowOf("write")).collect {
            if (kind.manyReplies) {
                take(it)
            }
        }
    }

    private val messages: Flow<String> =
        flow {
            repeat(length) {
                written.incrementAndGet()
                emit("$it".padStart(MESSAGE_BYTES, '0'))
            }
        }

    private suspend fun take(message: String) {
        delay(pause)
        read += message.toInt()
        if (read.size == TAKEN) {
            paused.complete(emitted())
            gate.await()
        }
    }

    /** The most that the flow may have emitted with windows of [window] bytes. */
    fun bound(window: Int): Int {
        val message = MESSAGE_BYTES + FRAMING_BYTES
        val oneWay = PREFETCH + (window + READY_BYTES) / message + 1 + 1
        return TAKEN + if (kind == CallKind.BIDI_STREAMING) 2 * oneWay else oneWay
    }

    companion object {
        const val MESSAGE_BYTES = 64 shl 10
        const val TAKEN = 5
        const val WINDOW = 1 shl 20
        const val GROWN_WINDOW = 8 shl 20
        private const val PREFETCH = 4

        /** From where on gRPC's `isReady()` is false. */
        private const val READY_BYTES = 32 shl 10

        /** gRPC's prefix of five bytes, and the tag and length of protobuf's field. */
        private const val FRAMING_BYTES = 5 + 1 + 3
    }
}
