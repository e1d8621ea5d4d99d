package io.grpcstream.samples.telemetry.device

import io.grpcstream.samples.telemetry.Reading
import java.time.Instant
import kotlin.math.round
import kotlin.random.Random

/** What a device measures with: yours goes here. */
fun interface Sensor {
    /** One round of readings, at [now]. Called by one coroutine, and quick. */
    fun measure(now: Instant): List<Reading>
}

/** A room's climate and a battery, made up: each value walks at random within its range. */
class SimulatedSensor(
    private val random: Random,
) : Sensor {
    private val walks =
        listOf(
            Walk("temperature", 15.0..30.0, step = 0.2),
            Walk("humidity", 30.0..70.0, step = 0.5),
            Walk("battery", 3.2..4.2, step = 0.01),
        )

    override fun measure(now: Instant): List<Reading> =
        walks.map { Reading(now, it.metric, it.next()) }

    private inner class Walk(
        val metric: String,
        private val range: ClosedRange<Double>,
        private val step: Double,
    ) {
        private var value = random.nextDouble(range.start, range.endInclusive)

        fun next(): Double {
            value = (value + random.nextDouble(-step, step)).coerceIn(range)
            return round(value * 1_000) / 1_000
        }
    }
}
