package io.grpcstream.samples.telemetry.demo

import io.grpcstream.samples.telemetry.store.StoredRun

/**
 * What the devices say against what the store has.
 *
 * @param told what each device says that still runs
 * @param runs all runs of all devices in the store, those that were killed among them
 */
internal class Balance(
    told: List<Told>,
    runs: List<StoredRun>,
) {
    private val stored = runs.associateBy { it.peer to it.run }

    /** What the devices measured that still run. */
    val measured: Long = told.sumOf { it.measured }

    /** What of that is in the store. */
    val kept: Long = told.sumOf { stored[it.peer to it.run]?.stored ?: 0 }

    /** What of that the collector was told is dropped. */
    val dropped: Long = told.sumOf { stored[it.peer to it.run]?.dropped ?: 0 }

    /** What is in the store of runs that ended by a kill. */
    val ofKilled: Long = runs.sumOf { it.stored } - kept

    /** What does not add up, a line each. */
    val errors: List<String> =
        told.mapNotNull { device ->
            val run = stored[device.peer to device.run]
            when {
                run == null -> "$device has nothing in the store"
                run.stored + run.dropped != device.measured -> "$device, but ${run.text()}"
                run.stored != device.stored -> "$device, but ${run.text()}"
                run.last != device.measured -> "$device, but ${run.text()}"
                else -> null
            }
        } +
            runs
                .filter { it.stored + it.dropped != it.last }
                .map { "of ${it.peer} there is a gap: ${it.text()}" }

    private fun StoredRun.text() =
        "the store has $stored readings, the last is number $last, and knows of $dropped dropped"
}
