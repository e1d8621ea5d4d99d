package io.grpcstream.samples.benchmarks

import java.util.Locale

/**
 * Prints the result for people, as comments that begin with `#`, and each of its ratios for
 * machines, on a line of its own: its name, a space, and the median of the rounds' ratios.
 */
internal fun Result.print() {
    println("# ${measure.name}")
    val figures = Figure.entries.filter { figure -> measure.variants.any { median(it.name, figure) != null } }
    row("", figures.map { it.title })
    measure.variants.forEach { variant ->
        row(variant.name, figures.map { median(variant.name, it)?.format(it.decimals) ?: "" })
    }
    for (comparison in measure.comparisons) {
        val ratios = ratios(comparison) ?: continue
        val name = "${measure.name}:${comparison.figure.id}:${comparison.of}/${comparison.to}"
        println("$name ${ratios.median().format(2)}")
        println(
            "#   from ${ratios.first().format(2)} to ${ratios.last().format(2)}" +
                verdict(comparison, ratios.median()),
        )
    }
}

private fun row(
    name: String,
    cells: List<String>,
) = println("#   " + name.padEnd(26) + cells.joinToString("") { it.padStart(15) })

private fun verdict(
    comparison: Comparison,
    ratio: Double,
): String =
    when {
        comparison.atLeast != null ->
            ", aim at least ${comparison.atLeast}: ${if (ratio >= comparison.atLeast) "met" else "missed"}"
        comparison.atMost != null ->
            ", aim at most ${comparison.atMost}: ${if (ratio <= comparison.atMost) "met" else "missed"}"
        else -> ""
    }

internal fun Double.format(decimals: Int): String = "%,.${decimals}f".format(Locale.ROOT, this)
