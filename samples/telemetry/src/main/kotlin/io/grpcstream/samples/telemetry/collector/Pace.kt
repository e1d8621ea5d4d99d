package io.grpcstream.samples.telemetry.collector

import kotlinx.coroutines.delay
import kotlin.time.Duration
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

/**
 * Holds somebody to [perSecond] of something, and to [burst] at once: a token bucket that goes into
 * debt, so that what was taken is waited for afterwards. For any thread.
 */
class Pace(
    private val perSecond: Int,
    private val burst: Int,
    private val time: TimeSource.WithComparableMarks = TimeSource.Monotonic,
) {
    private val each = 1.seconds / perSecond

    /** When all will be there again. */
    private var full = time.markNow()

    /** Takes [count], and suspends for as long as that is too much. */
    suspend fun take(count: Int): Unit = delay(takeNow(count))

    /** Takes [count], and returns how long to wait for that. */
    @Synchronized
    internal fun takeNow(count: Int): Duration {
        val now = time.markNow()
        full = maxOf(full, now) + each * count
        return ((full - now) - each * burst).coerceAtLeast(0.nanoseconds)
    }
}
