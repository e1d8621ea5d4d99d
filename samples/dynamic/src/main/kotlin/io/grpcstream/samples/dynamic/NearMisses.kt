package io.grpcstream.samples.dynamic

/** Names that someone who wrote another one may have meant. */
object NearMisses {
    private const val SHOWN = 3
    private const val COMPARED = 10_000

    /** Those of [all] that are nearest to [name], the nearest first; none if none is near. */
    fun of(
        name: String,
        all: Collection<String>,
    ): List<String> {
        val wanted = name.lowercase()
        val simple = simple(wanted)
        return all
            .asSequence()
            .take(COMPARED)
            .map { it to distance(it.lowercase(), wanted, simple) }
            .filter { (_, distance) -> distance != null }
            .sortedBy { (_, distance) -> distance }
            .map { (candidate, _) -> candidate }
            .take(SHOWN)
            .toList()
    }

    private fun distance(
        candidate: String,
        wanted: String,
        simple: String,
    ): Int? {
        if (candidate == wanted) return 0
        if (simple.isNotEmpty() && simple(candidate) == simple) return 1
        val tolerated = minOf(wanted.length, candidate.length) / 3
        return edits(candidate, wanted).takeIf { it <= tolerated.coerceAtMost(6) }?.plus(1)
    }

    /** The last part of a name with dots and slashes. */
    private fun simple(name: String): String =
        name.substring(name.lastIndexOfAny(charArrayOf('.', '/')) + 1)

    /** How many characters have to be put in, left out or exchanged (Levenshtein). */
    private fun edits(
        a: String,
        b: String,
    ): Int {
        if (kotlin.math.abs(a.length - b.length) > 6 || a.length > 200) return Int.MAX_VALUE - 1
        var above = IntArray(b.length + 1) { it }
        for (i in 1..a.length) {
            val row = IntArray(b.length + 1)
            row[0] = i
            for (j in 1..b.length) {
                val exchange = above[j - 1] + if (a[i - 1] == b[j - 1]) 0 else 1
                row[j] = minOf(exchange, above[j] + 1, row[j - 1] + 1)
            }
            above = row
        }
        return above[b.length]
    }
}
