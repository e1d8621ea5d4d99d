package io.grpcstream.kotlin

import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.ints.shouldBeLessThanOrEqual
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.asFlow
import kotlinx.coroutines.flow.collect
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import java.util.concurrent.ConcurrentLinkedQueue

private const val LARGE_MESSAGES = 200
private const val STEPS = 5

/** How fast the two sides of a call write and read. */
internal interface CallPaces {
    /** A caller that does not take replies holds its own call up, and loses nothing. */
    suspend fun slowReader(style: CallStyle)

    /** One side waits for the other's messages, each as it is written. */
    suspend fun slowWriter(style: CallStyle)

    /** [MANY] messages arrive in order. */
    suspend fun manyInOrder(style: CallStyle)

    companion object {
        const val MANY = 10_000

        /** What there is to show for calls of [kind]. */
        fun of(kind: CallKind): CallPaces =
            if (kind == CallKind.UNARY) UnaryPaces else StreamPaces(kind)
    }
}

private class StreamPaces(
    private val kind: CallKind,
) : CallPaces {
    override suspend fun slowReader(style: CallStyle) {
        val slow = SlowReading(kind, LARGE_MESSAGES)
        calling(style, slow.handler, SlowReading.WINDOW) { scope ->
            val call = scope.launch { slow.run(client) }
            slow.paused.await()
            onceStill(slow::emitted) shouldBeLessThanOrEqual slow.bound(SlowReading.WINDOW)
            slow.readOn()
            call.join()
            slow.read.toList() shouldContainExactly List(LARGE_MESSAGES) { it }
        }
    }

    override suspend fun slowWriter(style: CallStyle) {
        val arrived = List(STEPS) { CompletableDeferred<Unit>() }
        val seen = ConcurrentLinkedQueue<Int>()
        val numbers: Flow<String> =
            flow {
                arrived.forEachIndexed { number, read ->
                    emit("$number")
                    read.await() // Nothing that would push this message comes after it.
                }
            }

        fun arrive(number: String) {
            seen += number.toInt()
            arrived[number.toInt()].complete(Unit)
        }
        val handler: Handler = { requests ->
            flow {
                when {
                    !kind.manyRequests -> {
                        requests.collect { numbers.collect(::emit) }
                    }

                    kind.manyReplies -> {
                        requests.collect(::emit)
                    }

                    else -> {
                        requests.collect(::arrive)
                        emit("read")
                    }
                }
            }
        }
        calling(style, handler) {
            kind.call(client, if (kind.manyRequests) numbers else flowOf("write")).collect {
                if (kind.manyReplies) {
                    arrive(it)
                }
            }
            seen.toList() shouldContainExactly List(STEPS) { it }
        }
    }

    override suspend fun manyInOrder(style: CallStyle) {
        val numbers = List(CallPaces.MANY) { "$it" }
        val seen = ConcurrentLinkedQueue<String>()
        val handler: Handler = { requests ->
            flow {
                requests.collect {
                    seen += it
                    if (kind == CallKind.BIDI_STREAMING) {
                        emit(it)
                    }
                }
                when (kind) {
                    CallKind.SERVER_STREAMING -> numbers.forEach { emit(it) }
                    CallKind.CLIENT_STREAMING -> emit("${seen.size}")
                    else -> Unit
                }
            }
        }
        calling(style, handler) {
            val requests = if (kind.manyRequests) numbers else listOf("all")
            val replies = kind.call(client, requests.asFlow()).toList()
            seen.toList() shouldBe requests
            replies shouldBe if (kind.manyReplies) numbers else listOf("${CallPaces.MANY}")
        }
    }
}
