package io.grpcstream.samples.telemetry

import kotlin.time.Duration
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes

/** What devices and the collector have agreed on; `telemetry.proto` says it to everybody else. */
object Rules {
    /** The libp2p protocol id under which devices and the collector call each other. */
    const val PROTOCOL: String = "/telemetry/1.0.0"

    /** The most readings in a batch. */
    const val BATCH: Int = 256

    /** The largest message between devices and the collector, in bytes; a full batch is a third of it. */
    const val MESSAGE_BYTES: Int = 48 * 1024

    /** The longest name of a device, in UTF-16 units. */
    const val NAME_LENGTH: Int = 64

    /** The longest name of a metric. */
    const val METRIC_LENGTH: Int = 32

    /** The most metrics of a device. */
    const val METRICS: Int = 16

    /** The greatest sequence number: what comes after it is no number in JavaScript. */
    const val LAST_SEQUENCE: Long = 1L shl 53

    /** How far ahead of the collector's clock a device's may be. */
    val AHEAD: Duration = 1.minutes

    /** How old a reading may be: for so long a device may be without network. */
    val AGE: Duration = 30.days

    /** The times between two rounds of readings that there are. */
    val INTERVAL: ClosedRange<Duration> = 20.milliseconds..1.hours
}
