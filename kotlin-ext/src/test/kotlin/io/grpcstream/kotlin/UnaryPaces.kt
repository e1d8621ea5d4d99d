package io.grpcstream.kotlin

import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.async
import kotlinx.coroutines.flow.onEach
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import java.util.concurrent.ConcurrentLinkedQueue

private const val CALLERS = 10
private const val OTHER_CALLS = 5

/** What slow sides and many messages are to calls of one message each way. */
internal object UnaryPaces : CallPaces {
    /** A reply that its caller is too busy to take waits, and other calls do not wait for it. */
    override suspend fun slowReader(style: CallStyle) {
        val service = GatedEcho()
        val caller = HeldDispatcher()
        calling(style, service.handler) { scope ->
            val call = scope.async(caller) { client.unary(GatedEcho.GATED) }
            service.started.await()
            caller.hold()
            service.gate.complete(Unit)
            repeat(OTHER_CALLS) { client.unary("other") shouldBe "other" }
            call.isCompleted shouldBe false
            caller.release()
            call.await() shouldBe GatedEcho.GATED
        }
    }

    /** Calls do not wait for one whose service takes its time. */
    override suspend fun slowWriter(style: CallStyle) {
        val service = GatedEcho()
        calling(style, service.handler) { scope ->
            val call = scope.async { client.unary(GatedEcho.GATED) }
            service.started.await()
            repeat(OTHER_CALLS) { client.unary("other") shouldBe "other" }
            call.isCompleted shouldBe false
            service.gate.complete(Unit)
            call.await() shouldBe GatedEcho.GATED
        }
    }

    /** Callers make them together, each one after another while the others do the same. */
    override suspend fun manyInOrder(style: CallStyle) {
        val numbers = List(CallPaces.MANY / CALLERS) { it }
        val seen = List(CALLERS) { ConcurrentLinkedQueue<Int>() }
        val handler: Handler = { requests ->
            requests.onEach {
                val (caller, number) = it.split(':').map(String::toInt)
                seen[caller] += number
            }
        }
        calling(style, handler) { scope ->
            seen.indices
                .map { caller ->
                    scope.launch {
                        numbers.forEach { client.unary("$caller:$it") shouldBe "$caller:$it" }
                    }
                }.joinAll()
            seen.map { it.toList() } shouldBe List(CALLERS) { numbers }
        }
    }

    /** Echoes each request at once, but for [GATED], which waits until the gate is open. */
    private class GatedEcho {
        val started = CompletableDeferred<Unit>()
        val gate = CompletableDeferred<Unit>()

        val handler: Handler = { requests ->
            requests.onEach {
                if (it == GATED) {
                    started.complete(Unit)
                    gate.await()
                }
            }
        }

        companion object {
            const val GATED = "gated"
        }
    }
}
