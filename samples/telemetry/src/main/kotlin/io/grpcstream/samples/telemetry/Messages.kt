package io.grpcstream.samples.telemetry

import com.google.protobuf.duration
import com.google.protobuf.timestamp
import io.grpc.Status
import io.grpc.StatusException
import io.grpcstream.telemetry.batch
import io.grpcstream.telemetry.configuration
import io.grpcstream.telemetry.reading
import java.time.Instant
import kotlin.time.Duration
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.toJavaDuration
import com.google.protobuf.Duration as DurationMessage
import com.google.protobuf.Timestamp as TimestampMessage
import io.grpcstream.telemetry.Batch as BatchMessage
import io.grpcstream.telemetry.Configuration as ConfigurationMessage
import io.grpcstream.telemetry.Reading as ReadingMessage

// What comes from a peer is checked here, and nowhere else: whatever has passed keeps the rules.

/** The batch as a message. */
fun Batch.toMessage(): BatchMessage {
    val from = this
    return batch {
        run = from.run
        firstSequence = from.first
        readings += from.readings.map { it.toMessage() }
        dropped = from.dropped
        waiting = from.waiting
    }
}

/** The reading as a message. */
fun Reading.toMessage(): ReadingMessage {
    val from = this
    return reading {
        time = from.time.toMessage()
        metric = from.metric
        value = from.value
    }
}

/** The settings as a message. */
fun Settings.toMessage(): ConfigurationMessage {
    val from = this
    return configuration {
        interval = from.interval.toMessage()
        paused = from.paused
    }
}

/** The time as a message. */
fun Instant.toMessage(): TimestampMessage {
    val from = this
    return timestamp {
        seconds = from.epochSecond
        nanos = from.nano
    }
}

/** The duration as a message. */
fun Duration.toMessage(): DurationMessage =
    toComponents { whole, part ->
        duration {
            seconds = whole
            nanos = part
        }
    }

/** The duration of a message, of which we believe whatever it says. */
fun DurationMessage.toDuration(): Duration = seconds.seconds + nanos.nanoseconds

/** The batch that a device has sent, at [now] by our clock. */
fun BatchMessage.checked(now: Instant): Batch {
    val count = readingsCount
    if (count !in 1..Rules.BATCH) {
        throw invalid("a batch of $count readings; there are 1 to ${Rules.BATCH} in one")
    }
    if (firstSequence !in 1..Rules.LAST_SEQUENCE - count) {
        val said = java.lang.Long.toUnsignedString(firstSequence)
        throw invalid("first_sequence $said, not in 1..${Rules.LAST_SEQUENCE - count}")
    }
    if (dropped !in 0..<firstSequence) {
        val said = java.lang.Long.toUnsignedString(dropped)
        throw invalid("$said readings dropped of the ${firstSequence - 1} before this batch")
    }
    if (waiting < 0) {
        throw invalid("waiting ${Integer.toUnsignedString(waiting)}, at most ${Int.MAX_VALUE}")
    }
    val earliest = now - Rules.AGE.toJavaDuration()
    val latest = now + Rules.AHEAD.toJavaDuration()
    return Batch(
        run,
        firstSequence,
        readingsList.map { it.checked(earliest, latest) },
        dropped,
        waiting,
    )
}

private fun ReadingMessage.checked(
    earliest: Instant,
    latest: Instant,
): Reading {
    if (!METRIC.matches(metric)) {
        throw invalid("metric ${shown(metric)}, not 1 to ${Rules.METRIC_LENGTH} of a-z 0-9 _ . -")
    }
    if (!value.isFinite()) {
        throw invalid("the value of $metric is $value, which is not finite")
    }
    // By seconds first: not every number of them is an Instant.
    val seconds = time.seconds
    if (seconds !in earliest.epochSecond..latest.epochSecond || time.nanos !in NANOS) {
        throw invalid(
            "the time of $metric is ${seconds}s ${time.nanos}ns, not in $earliest..$latest",
        )
    }
    return Reading(Instant.ofEpochSecond(seconds, time.nanos.toLong()), metric, value)
}

/** The settings that a peer has sent. */
fun ConfigurationMessage.checked(): Settings {
    val interval = interval.toDuration()
    if (interval !in Rules.INTERVAL) {
        throw invalid("an interval of $interval, not in ${Rules.INTERVAL}")
    }
    return Settings(interval, paused)
}

/** The name that a device has sent. */
fun checkedName(name: String): String {
    if (name.length !in 1..Rules.NAME_LENGTH) {
        throw invalid("a name of ${name.length} characters; it has 1 to ${Rules.NAME_LENGTH}")
    }
    if (name.any { it.isISOControl() || it.category in UNSEEN }) {
        throw invalid("name ${shown(name)} has characters that nobody sees")
    }
    return name
}

/** What a peer is told that breaks a rule. */
fun invalid(what: String): StatusException =
    StatusException(Status.INVALID_ARGUMENT.withDescription(what))

/** [text] so that it can stand in a line of ours, whatever it is. */
private fun shown(text: String): String {
    val start = text.take(SHOWN).map { if (it in ' '..'~') it else '?' }.joinToString("")
    return if (text.length > SHOWN) "\"$start…\" of ${text.length} characters" else "\"$start\""
}

private const val SHOWN = 32
private val METRIC = Regex("[a-z0-9_.-]{1,${Rules.METRIC_LENGTH}}")
private val NANOS = 0..999_999_999

/** Those that change the order of letters, or are halves of one. */
private val UNSEEN =
    setOf(
        CharCategory.FORMAT,
        CharCategory.LINE_SEPARATOR,
        CharCategory.PARAGRAPH_SEPARATOR,
        CharCategory.SURROGATE,
    )
