package io.grpcstream.samples.benchmarks

import io.grpcstream.benchmarks.Payload
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import kotlin.time.Duration.Companion.seconds

/** Unary calls by [outstanding] coroutines on [dispatcher], each of which makes one after the other. */
internal class CoroutineLoad(
    private val outstanding: Int,
    private val dispatcher: CoroutineDispatcher,
    private val request: Payload,
    private val call: suspend (Payload) -> Payload,
) : Load {
    @Volatile
    private var running = false
    private var callers = emptyList<Deferred<Unit>>()

    override fun start(meter: Meter) {
        running = true
        val scope = CoroutineScope(dispatcher)
        callers = List(outstanding) { scope.async { callAgainAndAgain(meter) } }
    }

    private suspend fun callAgainAndAgain(meter: Meter) {
        while (running) {
            val start = System.nanoTime()
            call(request)
            meter.doneSince(start)
        }
    }

    override fun stop() {
        running = false
        runBlocking { withTimeout(PATIENCE) { callers.awaitAll() } }
    }

    private companion object {
        /** A call that takes longer never ends. */
        val PATIENCE = 30.seconds
    }
}
