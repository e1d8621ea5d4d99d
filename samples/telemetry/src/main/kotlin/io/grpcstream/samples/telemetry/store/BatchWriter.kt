package io.grpcstream.samples.telemetry.store

import io.grpc.Status
import io.grpc.StatusException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.withContext
import org.slf4j.LoggerFactory
import java.io.IOException
import kotlin.time.Duration
import kotlin.time.TimeSource

/**
 * Brings what many devices send into a store that takes one transaction at a time: all that waits
 * goes into the next one. While one is under way, at most [QUEUE] batches wait here, and whoever
 * brings another one is held up, in order; so what the collector holds does not depend on how slow
 * the store is.
 *
 * @param most the readings in a transaction, give or take a batch
 * @param added hears what each batch has added, before whoever brought it does
 */
class BatchWriter(
    private val store: ReadingStore,
    private val most: Int,
    private val added: (Arrival, Added) -> Unit,
) {
    private val queue = Channel<Pending>(QUEUE, onUndeliveredElement = { it.fail(STOPPED) })

    /** How long the store took for the last transaction. */
    @Volatile
    var lastTook: Duration = Duration.ZERO
        private set

    /**
     * Returns once [arrival] is stored; fails with `UNAVAILABLE` if it is not. If the coroutine is
     * cancelled meanwhile, it may be stored nevertheless.
     */
    suspend fun append(arrival: Arrival) {
        val pending = Pending(arrival)
        queue.send(pending)
        pending.stored.await()
    }

    /** Writes until it is cancelled; what waits then fails. */
    suspend fun run() {
        try {
            for (first in queue) {
                // What is written is told, also if this ends meanwhile.
                withContext(NonCancellable) { write(withMore(first)) }
            }
        } finally {
            queue.cancel()
        }
    }

    private fun withMore(first: Pending): List<Pending> {
        val together = mutableListOf(first)
        var readings = first.arrival.batch.readings.size
        while (readings < most) {
            val next = queue.tryReceive().getOrNull() ?: break
            together += next
            readings += next.arrival.batch.readings.size
        }
        return together
    }

    private suspend fun write(together: List<Pending>) {
        val start = TimeSource.Monotonic.markNow()
        try {
            val results =
                withContext(Dispatchers.IO) { store.append(together.map { it.arrival }) }
            together.zip(results) { pending, result ->
                added(pending.arrival, result)
                pending.stored.complete(Unit)
            }
        } catch (e: IOException) {
            LOG.warn("{} batches are not stored: {}", together.size, e.message)
            together.forEach { it.fail(Status.UNAVAILABLE.withDescription(e.message).withCause(e)) }
        }
        lastTook = start.elapsedNow()
    }

    private class Pending(
        val arrival: Arrival,
    ) {
        val stored = CompletableDeferred<Unit>()

        fun fail(status: Status) {
            stored.completeExceptionally(StatusException(status))
        }
    }

    companion object {
        /** How many batches wait here at most. */
        const val QUEUE: Int = 256

        private val STOPPED = Status.UNAVAILABLE.withDescription("the collector is shut down")
        private val LOG = LoggerFactory.getLogger(BatchWriter::class.java)
    }
}
