package io.grpcstream.kotlin

import io.kotest.core.spec.style.stringSpec
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.ints.shouldBeLessThanOrEqual
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

private const val SHORT = 1_000
private const val LONG = 10_000

/** A slow reader suspends the flow that is written, whose length then does not matter. */
internal fun flowBackPressure(
    title: String,
    style: CallStyle,
) = stringSpec {
    for (kind in listOf(CallKind.SERVER_STREAMING, CallKind.CLIENT_STREAMING)) {
        "a ${kind.title} call's flow emits no more than the window and what gRPC queues" {
            val window = SlowReading.WINDOW
            val short = emittedOnceStill(style, kind, SHORT, window)
            val long = emittedOnceStill(style, kind, LONG, window)
            val bound = SlowReading(kind, LONG).bound(window)
            report("$title, ${kind.title}, fixed window", "$short of $SHORT, $long of $LONG", bound)
            long shouldBeGreaterThan SlowReading.TAKEN
            long shouldBeLessThanOrEqual bound
            long shouldBe short
        }

        "a ${kind.title} call's flow emits no more than the window may grow to" {
            val emitted = emittedOnceStill(style, kind, LONG, null)
            val bound = SlowReading(kind, LONG).bound(SlowReading.GROWN_WINDOW)
            report("$title, ${kind.title}, growing window", "$emitted of $LONG", bound)
            emitted shouldBeLessThanOrEqual bound
        }

        "a ${kind.title} call's flow waits for a reader that takes one message a second" {
            val slow = SlowReading(kind, LONG, pause = 1.seconds)
            calling(style, slow.handler) { scope ->
                val call = scope.launch { slow.run(client) }
                val emitted = slow.paused.await()
                val bound = slow.bound(SlowReading.GROWN_WINDOW)
                report("$title, ${kind.title}, after 5 s", "$emitted of $LONG", bound)
                emitted shouldBeLessThanOrEqual bound
                call.cancelAndJoin()
                slow.served.await()
            }
        }
    }
}

private suspend fun emittedOnceStill(
    style: CallStyle,
    kind: CallKind,
    length: Int,
    window: Int?,
): Int {
    val slow = SlowReading(kind, length, Duration.ZERO)
    var emitted = 0
    calling(style, slow.handler, window) { scope ->
        val call = scope.launch { slow.run(client) }
        slow.paused.await()
        emitted = onceStill(slow::emitted)
        slow.read.size shouldBe SlowReading.TAKEN
        call.cancelAndJoin()
        slow.served.await()
    }
    return emitted
}

private fun report(
    what: String,
    emitted: String,
    bound: Int,
) {
    val bytes = SlowReading.MESSAGE_BYTES
    println("back-pressure, $what: emitted $emitted messages of $bytes bytes, bound $bound")
}
