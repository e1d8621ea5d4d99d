package io.grpcstream.samples.shop.tracing

import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.listDirectoryEntries

/** The spans of one trace, each below the one around it. */
class TraceTree(
    spans: List<RecordedSpan>,
) {
    private val known = spans.map { it.id }.toSet()
    private val children = spans.sortedBy { it.startNanos }.groupBy { it.parent }

    /** Those around which there is none: one, unless that was lost with its process. */
    val roots: List<RecordedSpan> =
        spans.filter { it.parent !in known }.sortedBy { it.startNanos }

    /** Those right below [span], as they began; where one attempt at a call was enough, what it did. */
    fun below(span: RecordedSpan): List<RecordedSpan> {
        val all = children[span.id].orEmpty()
        val only = all.singleOrNull() ?: return all
        return if (only.name.startsWith("Attempt.")) below(only) else all
    }

    /** The tree as lines. */
    fun lines(): List<String> = roots.flatMap { lines(it, "", "") }

    private fun lines(
        span: RecordedSpan,
        first: String,
        others: String,
    ): List<String> {
        val below = below(span)
        val rest =
            below.flatMapIndexed { index, child ->
                if (index < below.lastIndex) {
                    lines(child, "$others├─ ", "$others│  ")
                } else {
                    lines(child, "$others└─ ", "$others   ")
                }
            }
        return listOf(first + text(span)) + rest
    }

    private fun text(span: RecordedSpan): String {
        val deadline = span.deadlineMillis?.let { ", $it ms left" }.orEmpty()
        val failure = span.failure?.let { ", failed: $it" }.orEmpty()
        return "%-12s %s  %.1f ms%s%s".format(
            span.peer,
            span.name,
            span.nanos / NANOS_A_MILLI,
            deadline,
            failure,
        )
    }

    /** Reads traces. */
    companion object {
        private const val NANOS_A_MILLI = 1e6

        /** What the peers that write into [folder] have recorded of [trace]. */
        fun read(
            folder: Path,
            trace: String,
        ): TraceTree =
            TraceTree(
                folder
                    .listDirectoryEntries("*.spans")
                    .flatMap(Files::readAllLines)
                    .mapNotNull(RecordedSpan::parse)
                    .filter { it.trace == trace },
            )
    }
}
