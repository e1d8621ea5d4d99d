package io.grpcstream.samples.benchmarks

import io.grpcstream.benchmarks.Payload
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import kotlin.time.Duration.Companion.seconds

/** One download without an end, collected on [dispatcher]. */
internal class CoroutineStreamingLoad(
    private val dispatcher: CoroutineDispatcher,
    private val download: () -> Flow<Payload>,
) : Load {
    private lateinit var collector: Job

    override fun start(meter: Meter) {
        collector = CoroutineScope(dispatcher).launch { download().collect { meter.done() } }
    }

    override fun stop() =
        runBlocking {
            check(collector.isActive) { "the call ended by itself" }
            withTimeout(PATIENCE) { collector.cancelAndJoin() }
        }

    private companion object {
        /** A call that takes longer to end never does. */
        val PATIENCE = 30.seconds
    }
}
