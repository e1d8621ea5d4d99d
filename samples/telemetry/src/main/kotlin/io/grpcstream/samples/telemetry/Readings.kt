package io.grpcstream.samples.telemetry

import java.time.Instant
import kotlin.time.Duration

/** One value of what [metric] names, measured at [time] by the device's clock. */
data class Reading(
    val time: Instant,
    val metric: String,
    val value: Double,
)

/**
 * Readings whose sequence numbers follow each other, and the unit in which readings travel and are
 * stored.
 *
 * @property run tells the device's runs apart: each counts from 1
 * @property first the sequence number of the first reading
 * @property dropped how many readings of the run the device has dropped so far
 * @property waiting how many more wait in the device
 */
data class Batch(
    val run: Long,
    val first: Long,
    val readings: List<Reading>,
    val dropped: Long,
    val waiting: Int,
) {
    /** The sequence number of the last reading. */
    val last: Long get() = first + readings.size - 1
}

/**
 * How a device measures.
 *
 * @property interval the time between two rounds of readings
 * @property paused whether it measures nothing, for now
 */
data class Settings(
    val interval: Duration,
    val paused: Boolean = false,
)
