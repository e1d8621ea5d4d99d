package io.grpcstream.samples.telemetry.device

import io.grpcstream.samples.telemetry.Batch
import io.grpcstream.samples.telemetry.Reading
import io.grpcstream.samples.telemetry.Rules
import kotlinx.coroutines.channels.Channel
import kotlin.random.Random

/**
 * What a device has measured and the collector has not stored yet: a ring. Where it is full, the oldest
 * reading makes room for a new one, and is counted; the next batch says so. So after a while without
 * network the newest readings are there.
 *
 * A batch that is under way is kept beside the ring until its fate is known, and is taken again by the
 * next call if this one is lost: each reading is stored once, or counted as dropped. At any time
 *
 *     measured = stored + dropped + waiting
 *
 * For any thread; one coroutine at a time takes batches.
 *
 * @param capacity how many readings wait, beside the batch that is under way
 * @param run tells this run of the device from its others
 */
class ReadingBuffer(
    private val capacity: Int,
    val run: Long = Random.nextLong(),
) {
    private val ring = ArrayDeque<Reading>(capacity)
    private val grown = Channel<Unit>(Channel.CONFLATED)
    private var underway: Batch? = null
    private var measured = 0L
    private var stored = 0L
    private var dropped = 0L

    init {
        require(capacity > 0) { "a buffer of $capacity readings holds none" }
    }

    /** Adds [reading]. */
    @Synchronized
    fun add(reading: Reading) {
        if (ring.size == capacity) {
            ring.removeFirst()
            dropped++
        }
        ring.addLast(reading)
        measured++
        grown.trySend(Unit)
    }

    /** The batch that is under way, or else the oldest readings, for which it waits. */
    suspend fun next(): Batch {
        while (true) {
            take()?.let { return it }
            grown.receive()
        }
    }

    @Synchronized
    private fun take(): Batch? {
        if (underway == null && ring.isNotEmpty()) {
            val first = measured - ring.size + 1
            val readings = List(minOf(ring.size, Rules.BATCH)) { ring.removeFirst() }
            underway = Batch(run, first, readings, dropped, waiting = ring.size)
        }
        return underway
    }

    /** The collector has stored the batch that is under way. */
    @Synchronized
    fun stored() {
        stored += underway?.readings?.size ?: 0
        underway = null
    }

    /** The collector will never take the batch that is under way: it is dropped. */
    @Synchronized
    fun refused() {
        dropped += underway?.readings?.size ?: 0
        underway = null
    }

    /** What has become of the readings so far. */
    @Synchronized
    fun counts(): Counts =
        Counts(measured, stored, dropped, ring.size + (underway?.readings?.size ?: 0))
}

/** What has become of the readings of one run of a device. */
data class Counts(
    val measured: Long,
    val stored: Long,
    val dropped: Long,
    val waiting: Int,
)
