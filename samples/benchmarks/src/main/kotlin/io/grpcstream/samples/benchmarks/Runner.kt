package io.grpcstream.samples.benchmarks

/** The rounds of one measure. */
internal class Result(
    val measure: Measure,
    private val rounds: Map<String, List<Sample>>,
) {
    val variants: Set<String> get() = rounds.keys

    fun median(
        variant: String,
        figure: Figure,
    ): Double? = values(variant, figure)?.median()

    /** The ratios of each round, lowest first; null if a variant did not take part. */
    fun ratios(comparison: Comparison): List<Double>? {
        val of = values(comparison.of, comparison.figure) ?: return null
        val to =
            comparison.fixed?.let { fixed -> of.map { fixed } }
                ?: values(comparison.to, comparison.figure)
                ?: return null
        return of.zip(to) { a, b -> a / b }.sorted()
    }

    private fun values(
        variant: String,
        figure: Figure,
    ): List<Double>? = rounds[variant]?.mapNotNull { it[figure] }?.takeIf { it.isNotEmpty() }
}

internal fun List<Double>.median(): Double =
    sorted().let {
        (it[(size - 1) / 2] + it[size / 2]) / 2
    }

/**
 * Measures the [variants] in turns: whatever else the machine does meanwhile meets all alike. The
 * order shifts with each round, so that none always follows the same other.
 */
internal fun Measure.run(
    effort: Effort,
    variants: List<Variant> = this.variants,
): Result {
    println("# $name ...")
    val ours = effort(effort)
    val probes = mutableMapOf<String, Probe>()
    try {
        variants.forEach { probes[it.name] = it.open() }
        System.gc()
        repeat(ours.warmUps) { probes.values.forEach { it.measure(ours.window) } }
        val samples = probes.mapValues { mutableListOf<Sample>() }
        val names = probes.keys.toList()
        repeat(ours.rounds) { round ->
            for (i in names.indices) {
                val name = names[(i + round) % names.size]
                samples.getValue(name) += probes.getValue(name).measure(ours.window)
            }
        }
        return Result(this, samples)
    } finally {
        probes.values.forEach { it.close() }
    }
}
