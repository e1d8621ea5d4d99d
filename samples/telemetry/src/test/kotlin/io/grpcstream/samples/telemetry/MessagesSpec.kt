package io.grpcstream.samples.telemetry

import com.google.protobuf.duration
import io.grpc.Status
import io.grpc.StatusException
import io.grpcstream.telemetry.batch
import io.grpcstream.telemetry.configuration
import io.grpcstream.telemetry.copy
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.comparables.shouldBeLessThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import java.time.Instant
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.toJavaDuration
import io.grpcstream.telemetry.Batch as BatchMessage

private val NOW = Instant.parse("2026-03-01T12:00:00.123Z")
private val READING = Reading(NOW, "temperature", 21.5)
private val GOOD = Batch(run = -7, first = 3, listOf(READING, READING), dropped = 2, waiting = 9)

/** What comes from a peer passes if it keeps the rules, and is refused by name if it does not. */
class MessagesSpec :
    StringSpec({
        "what keeps the rules comes out as it went in" {
            GOOD.toMessage().checked(NOW) shouldBe GOOD
            for (settings in listOf(Settings(20.milliseconds), Settings(1.hours, paused = true))) {
                settings.toMessage().checked() shouldBe settings
            }
            checkedName("Grünhaus 7 – Süd") shouldBe "Grünhaus 7 – Süd"
        }

        "the largest batch fits into a message" {
            val metric = "m".repeat(Rules.METRIC_LENGTH)
            val readings = List(Rules.BATCH) { Reading(NOW, metric, Math.PI) }
            val most = Rules.LAST_SEQUENCE - Rules.BATCH
            val largest = Batch(-1, most, readings, most - 1, Int.MAX_VALUE)
            largest.toMessage().checked(NOW) shouldBe largest
            largest.toMessage().serializedSize shouldBeLessThan Rules.MESSAGE_BYTES
        }

        "a batch that breaks a rule is refused, with the value and the limit" {
            refused("a batch of 0 readings; there are 1 to 256") { copy { readings.clear() } }
            refused("a batch of 257 readings") {
                copy {
                    readings.clear()
                    readings += List(257) { READING.toMessage() }
                }
            }
            refused("first_sequence 0, not in 1..") { copy { firstSequence = 0 } }
            refused("first_sequence 18446744073709551615,") { copy { firstSequence = -1 } }
            refused("first_sequence 9007199254740991,") {
                copy { firstSequence = Rules.LAST_SEQUENCE - 1 }
            }
            refused("3 readings dropped of the 2 before") { copy { dropped = 3 } }
            refused("18446744073709551615 readings dropped") { copy { dropped = -1 } }
            refused("waiting 4294967295,") { copy { waiting = -1 } }
        }

        "a reading that breaks a rule is refused, with the value and the limit" {
            for (value in listOf(Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY)) {
                refused("the value of temperature is $value") { with(READING.copy(value = value)) }
            }
            refused("metric \"\"") { with(READING.copy(metric = "")) }
            refused("metric \"TEMP\"") { with(READING.copy(metric = "TEMP")) }
            refused("metric \"???[2J<b>\"") { with(READING.copy(metric = "\n\u0000\u001b[2J<b>")) }
            refused("of 40000 characters") { with(READING.copy(metric = "x".repeat(40_000))) }
            val soon = NOW + (Rules.AHEAD + 1.hours).toJavaDuration()
            refused(
                "the time of temperature is ${soon.epochSecond}s",
            ) { with(READING.copy(time = soon)) }
            val old = NOW - (Rules.AGE + 1.hours).toJavaDuration()
            refused(
                "the time of temperature is ${old.epochSecond}s",
            ) { with(READING.copy(time = old)) }
            for (seconds in listOf(Long.MIN_VALUE, Long.MAX_VALUE)) {
                refused("the time of temperature is ${seconds}s") { withTime(seconds, 0) }
            }
            refused("s -1ns") { withTime(NOW.epochSecond, -1) }
            refused("s 2147483647ns") { withTime(NOW.epochSecond, Int.MAX_VALUE) }
        }

        "an interval that is none of those allowed is refused" {
            for ((seconds, nanos) in listOf(
                0L to 0,
                0L to 19_999_999,
                3_600L to 1,
                -1L to 0,
                Long.MAX_VALUE to Int.MAX_VALUE,
                Long.MIN_VALUE to Int.MIN_VALUE,
            )) {
                val message =
                    configuration {
                        interval =
                            duration {
                                this.seconds = seconds
                                this.nanos = nanos
                            }
                    }
                statusOf { message.checked() }.description shouldContain "not in 20ms..1h"
            }
            statusOf { configuration { }.checked() }.description shouldContain "an interval of 0s"
        }

        "a name that is too long, or hides something, is refused" {
            statusOf { checkedName("") }.description shouldBe
                "a name of 0 characters; it has 1 to 64"
            statusOf { checkedName("n".repeat(65)) }.description shouldContain "65 characters"
            for (hidden in listOf("a\u0000", "a\nb", "a\u001b[31m", "a\u202eb", "a\ud800b")) {
                statusOf { checkedName(hidden) }.description shouldContain
                    "characters that nobody sees"
            }
        }
    })

private fun refused(
    reason: String,
    change: BatchMessage.() -> BatchMessage,
) {
    val status = statusOf { GOOD.toMessage().change().checked(NOW) }
    status.description shouldContain reason
}

private fun statusOf(check: () -> Unit): Status {
    val status = shouldThrow<StatusException> { check() }.status
    status.code shouldBe Status.Code.INVALID_ARGUMENT
    return status
}

private fun BatchMessage.with(reading: Reading): BatchMessage =
    copy {
        readings[1] =
            reading.toMessage()
    }

private fun BatchMessage.withTime(
    seconds: Long,
    nanos: Int,
): BatchMessage =
    copy {
        readings[1] =
            READING.toMessage().copy {
                time =
                    time
                        .toBuilder()
                        .setSeconds(seconds)
                        .setNanos(nanos)
                        .build()
            }
    }
