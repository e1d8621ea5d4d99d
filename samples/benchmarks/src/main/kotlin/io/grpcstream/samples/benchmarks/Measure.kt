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
    CPU("CPU µs each", 1),
    ALLOCATED("bytes each"),
    MESSAGES("messages/s"),
    ROUND_TRIPS("round trips/s"),
    MEBIBYTES("MiB/s"),
    CONNECTIONS("connections/s"),
    KIBIBYTES("KiB each", 1),
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

/** One of the things compared. */
internal class Variant(
    val name: String,
    val open: () -> Probe,
)

/** A ratio to print: [of] against [to], and the bound that it should keep, if there is one. */
internal class Comparison(
    val figure: Figure,
    val of: String,
    val to: String,
    val atLeast: Double? = null,
    val atMost: Double? = null,
)

/** One measure of several variants, which take turns. */
internal class Measure(
    val name: String,
    val variants: List<Variant>,
    val comparisons: List<Comparison>,
)
