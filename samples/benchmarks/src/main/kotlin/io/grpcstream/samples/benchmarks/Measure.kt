package io.grpcstream.samples.benchmarks

import kotlin.time.Duration

/** What is measured of a variant, and how it is printed. */
internal enum class Figure(
    val title: String,
    val decimals: Int = 0,
) {
    CALLS("calls/s"),
    P50("p50 µs", 1),
    P99("p99 µs", 1),
    MESSAGES("messages/s"),
    MEBIBYTES("MiB/s"),
    ROUND_TRIPS("round trips/s"),
    CONNECTIONS("connections/s"),

    /** From the start of a process. */
    FIRST_REPLY("first reply ms"),

    /** Of a process until its first reply. */
    START_CPU("CPU ms"),

    /** That a process has loaded by then. */
    CLASSES("classes"),

    /** Heap and direct memory. */
    KIBIBYTES("KiB each", 1),

    /** Of this whole process, both ends; a call's or message's share. */
    CPU("CPU µs each", 1),

    /** On the heap, both ends; a call's or message's share. */
    ALLOCATED("bytes each"),
    ;

    /** As part of a ratio's name. */
    val id: String get() = name.lowercase().replace('_', '-')
}

/** What one round of one variant gave. */
internal typealias Sample = Map<Figure, Double>

/** One variant, set up and ready to be measured again and again. */
internal interface Probe : AutoCloseable {
    /** Blocks for a little longer than [window]. */
    fun measure(window: Duration): Sample
}

/**
 * One of the things compared.
 *
 * @property inShort whether it takes part in the short form of the run
 */
internal class Variant(
    val name: String,
    val inShort: Boolean = true,
    val open: () -> Probe,
)

/**
 * A ratio to print: [of] against [to].
 *
 * @property fixed what [to] stands for, if it is no variant
 * @property atLeast the bound to be kept, if there is one
 * @property atMost the same, of what should be small
 */
internal class Comparison(
    val figure: Figure,
    val of: String,
    val to: String,
    val fixed: Double? = null,
    val atLeast: Double? = null,
    val atMost: Double? = null,
)

/** How long the rounds of a measure take. */
internal class Effort(
    val warmUps: Int,
    val rounds: Int,
    val window: Duration,
)

/**
 * One measure of several variants, which take turns.
 *
 * @property inShort whether it is part of the short form of the run
 * @property effort what the measure makes of the effort asked for
 */
internal class Measure(
    val name: String,
    val variants: List<Variant>,
    val comparisons: List<Comparison>,
    val inShort: Boolean = false,
    val effort: (Effort) -> Effort = { it },
)
