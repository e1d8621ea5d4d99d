package io.grpcstream.samples.shop.tracing

/** One span, as it is kept in a file: fields between tabs. */
data class RecordedSpan(
    /** The trace that it is part of. */
    val trace: String,
    /** Its own id. */
    val id: String,
    /** That of the span around it. */
    val parent: String,
    /** The peer that it was at, by name. */
    val peer: String,
    /** What it is called. */
    val name: String,
    /** When it began, since 1970. */
    val startNanos: Long,
    /** How long it took. */
    val nanos: Long,
    /** How much of the deadline was left when it began, if it had one. */
    val deadlineMillis: Long?,
    /** Why it has failed, if it has. */
    val failure: String?,
) {
    /** This span as a line. */
    fun toLine(): String =
        listOf(
            trace,
            id,
            parent,
            peer,
            name,
            startNanos,
            nanos,
            deadlineMillis ?: "",
            failure?.replace(Regex("\\s+"), " ") ?: NONE,
        ).joinToString("\t")

    /** Reads spans. */
    companion object {
        private const val FIELDS = 9
        private const val NONE = "-"

        /** The span in [line], or null if that is no whole one, as where a process was killed. */
        fun parse(line: String): RecordedSpan? {
            val fields = line.split('\t')
            if (fields.size != FIELDS) return null
            return RecordedSpan(
                trace = fields[0],
                id = fields[1],
                parent = fields[2],
                peer = fields[3],
                name = fields[4],
                startNanos = fields[5].toLongOrNull() ?: return null,
                nanos = fields[6].toLongOrNull() ?: return null,
                deadlineMillis = fields[7].toLongOrNull(),
                failure = fields[8].takeUnless { it == NONE },
            )
        }
    }
}
