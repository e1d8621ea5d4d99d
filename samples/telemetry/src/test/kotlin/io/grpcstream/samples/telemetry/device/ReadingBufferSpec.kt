package io.grpcstream.samples.telemetry.device

import io.grpcstream.samples.telemetry.Reading
import io.grpcstream.samples.telemetry.Rules
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import java.time.Instant
import kotlin.random.Random

class ReadingBufferSpec :
    StringSpec({
        "readings leave in the order in which they came, with their sequence numbers" {
            val buffer = filled(capacity = 10, readings = 3)
            val batch = buffer.next()
            batch.first shouldBe 1
            batch.last shouldBe 3
            batch.readings.map { it.value } shouldBe listOf(1.0, 2.0, 3.0)
            batch.dropped shouldBe 0
            buffer.stored()
            buffer.counts() shouldBe Counts(measured = 3, stored = 3, dropped = 0, waiting = 0)
        }

        "where it is full, the oldest make room, and the next batch says how many" {
            val buffer = filled(capacity = 10, readings = 25)
            val batch = buffer.next()
            batch.dropped shouldBe 15
            batch.first shouldBe 16
            batch.readings.map { it.value } shouldBe (16..25).map { it.toDouble() }
        }

        "the batch under way is neither dropped nor changed by what comes after it" {
            val buffer = filled(capacity = 4, readings = 4)
            val batch = buffer.next()
            repeat(9) { buffer.add(reading(5 + it)) }
            buffer.next() shouldBe batch
            buffer.stored()
            val after = buffer.next()
            after.first shouldBe 10
            after.dropped shouldBe 5
            buffer.counts() shouldBe Counts(measured = 13, stored = 4, dropped = 5, waiting = 4)
        }

        "a batch that is refused counts as dropped" {
            val buffer = filled(capacity = 4, readings = 2)
            buffer.next()
            buffer.refused()
            buffer.add(reading(3))
            buffer.next().dropped shouldBe 2
            buffer.refused()
            buffer.refused() // nothing is under way
            buffer.counts() shouldBe Counts(measured = 3, stored = 0, dropped = 3, waiting = 0)
        }

        "a batch has no more readings than it may" {
            val batch = filled(capacity = 2 * Rules.BATCH, readings = Rules.BATCH + 7).next()
            batch.readings.size shouldBe Rules.BATCH
            batch.waiting shouldBe 7
        }

        "who takes from an empty one waits for the next reading" {
            val buffer = ReadingBuffer(capacity = 1)
            coroutineScope {
                val batch = async(start = CoroutineStart.UNDISPATCHED) { buffer.next() }
                batch.isCompleted shouldBe false
                buffer.add(reading(1))
                batch.await().readings shouldBe listOf(reading(1))
            }
        }

        "whatever happens, all that was measured is stored, dropped or waits" {
            val random = Random(20)
            val buffer = ReadingBuffer(capacity = 300)
            var next = 1
            repeat(2_000) {
                when (random.nextInt(4)) {
                    0 -> repeat(random.nextInt(400)) { buffer.add(reading(next++)) }
                    1 -> if (buffer.counts().waiting > 0) buffer.next()
                    2 -> buffer.stored()
                    else -> buffer.refused()
                }
                val counts = buffer.counts()
                counts.measured shouldBe counts.stored + counts.dropped + counts.waiting
                if (counts.waiting > 0) {
                    val batch = buffer.next()
                    batch.readings.first().value shouldBe batch.first.toDouble()
                    (batch.dropped < batch.first) shouldBe true
                }
            }
        }
    })

private suspend fun filled(
    capacity: Int,
    readings: Int,
) = ReadingBuffer(capacity).also { buffer -> repeat(readings) { buffer.add(reading(it + 1)) } }

private fun reading(number: Int) = Reading(Instant.EPOCH, "metric", number.toDouble())
