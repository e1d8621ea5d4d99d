package io.grpcstream.samples.benchmarks

import java.util.Locale

/**
 * Prints the result for people, as comments that begin with `#`, and each of its ratios for
 * machines, on a line of its own: its name, a space, and the median of the rounds' ratios.
 */
internal fun Result.print() {
    println("#")
    val figures = Figure.entries.filter { figure -> variants.any { median(it, figure) != null } }
    row(measure.name, figures.map { it.title })
    variants.forEach { variant ->
        row("  $variant", figures.map { median(variant, it)?.format(it.decimals) ?: "" })
    }
    for (comparison in measure.comparisons) {
        val ratios = ratios(comparison) ?: continue
        println(
            "# ${ratios.first().format(2)} to ${ratios.last().format(2)}" +
                verdict(comparison, ratios.median()) + ":",
        )
        println("${measure.nameOf(comparison)} ${ratios.median().format(2)}")
    }
}

internal fun Measure.nameOf(comparison: Comparison): String =
    "$name:${comparison.figure.id}:${comparison.of}/${comparison.to}"

private fun row(
    name: String,
    cells: List<String>,
) = println("# " + name.padEnd(28) + cells.joinToString("") { it.padStart(15) })

private fun verdict(
    comparison: Comparison,
    ratio: Double,
): String =
    when {
        comparison.atLeast != null -> {
            ", should be at least ${comparison.atLeast}" +
                if (ratio < comparison.atLeast) ", FALLS SHORT" else ""
        }

        comparison.atMost != null -> {
            ", should be at most ${comparison.atMost}" +
                if (ratio > comparison.atMost) ", FALLS SHORT" else ""
        }

        else -> {
            ""
        }
    }

internal fun Double.format(decimals: Int): String = "%.${decimals}f".format(Locale.ROOT, this)
