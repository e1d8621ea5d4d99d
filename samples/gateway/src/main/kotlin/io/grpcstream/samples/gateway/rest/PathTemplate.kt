package io.grpcstream.samples.gateway.rest

/**
 * A path with variables, as `google/api/http.proto` defines it: such as `/v1/books/{id}:copy`.
 * A `*` stands for one segment, `**` for any number of them.
 */
internal class PathTemplate private constructor(
    private val text: String,
    private val segments: List<Segment>,
    private val variables: List<Variable>,
    private val verb: String?,
) : Comparable<PathTemplate> {
    private sealed interface Segment {
        data class Literal(
            val text: String,
        ) : Segment

        data object One : Segment

        data object Many : Segment
    }

    /** The field that segments from [first] on, [count] of the template's, are the value of. */
    private class Variable(
        val field: String,
        val first: Int,
        val count: Int,
    )

    /** The fields that stand in the path. */
    val fields: List<String> get() = variables.map { it.field }

    /**
     * The variables' values, decoded, by the path of their field, if [path] (from its `/` on, still
     * percent-encoded) is such a one; else null.
     */
    fun match(path: String): Map<String, String>? {
        val parts = withoutVerb(path)?.removePrefix("/")?.split('/') ?: return null
        val many = segments.indexOf(Segment.Many)
        val surplus = parts.size - segments.size
        if (if (many < 0) surplus != 0 else surplus < -1) return null
        // Where each segment of the template begins among the parts.
        val starts = List(segments.size + 1) { if (many in 0 until it) it + surplus else it }
        for ((i, segment) in segments.withIndex()) {
            val here = parts.subList(starts[i], starts[i + 1])
            val fits =
                when (segment) {
                    is Segment.Literal -> decoded(here.single()) == segment.text
                    Segment.One -> here.single().isNotEmpty()
                    Segment.Many -> true
                }
            if (!fits) return null
        }
        return variables.associate { variable ->
            val end = variable.first + variable.count
            val values = parts.subList(starts[variable.first], starts[end])
            val isOne = variable.count == 1 && segments[variable.first] != Segment.Many
            variable.field to
                if (isOne) {
                    decoded(
                        values.single(),
                    )
                } else {
                    values.joinToString("/", transform = ::reserved)
                }
        }
    }

    private fun withoutVerb(path: String): String? =
        when {
            verb == null -> path
            path.substringAfterLast('/').endsWith(":$verb") -> path.dropLast(verb.length + 1)
            else -> null
        }

    /** The more a template says, the earlier it comes. */
    override fun compareTo(other: PathTemplate): Int =
        compareValuesBy(
            this,
            other,
            { Segment.Many in it.segments },
            { it.verb == null },
            { template -> template.segments.count { it == Segment.One } },
            { -it.segments.size },
            { it.text },
        )

    override fun toString(): String = text

    /** Reads templates. */
    companion object {
        /** @throws IllegalArgumentException if [text] is no template */
        fun parse(text: String): PathTemplate = Parser(text).parse()

        /** All of it decoded, as of one segment. */
        private fun decoded(part: String) = decode(part) { true }

        /** Of several segments, a `/` that was encoded stays so: it separates none. */
        private fun reserved(part: String) = decode(part) { it != '/'.code.toByte() }
    }

    private class Parser(
        private val text: String,
    ) {
        private val segments = ArrayList<Segment>()
        private val variables = ArrayList<Variable>()
        private var at = 0

        fun parse(): PathTemplate {
            require(text.length <= MOST) { "a template of ${text.length} characters, limit $MOST" }
            expect('/')
            segments('\u0000')
            val verb = if (at < text.length && text[at] == ':') text.substring(at + 1) else null
            require(
                verb != null || at == text.length,
            ) { "$text: ${text.substring(at)} was not expected" }
            require(
                verb == null || (verb.isNotEmpty() && '/' !in verb),
            ) { "$text: a verb is one word" }
            require(
                segments.count { it == Segment.Many } <= 1,
            ) { "$text: there is more than one **" }
            return PathTemplate(text, segments, variables, verb)
        }

        private fun segments(end: Char) {
            while (true) {
                if (at < text.length && text[at] == '{') variable() else segments += segment(end)
                if (at >= text.length || text[at] != '/') return
                at++
            }
        }

        private fun segment(end: Char): Segment {
            val word = takeUntil("/:{}", end)
            require(word.isNotEmpty()) { "$text: a segment is empty" }
            return when (word) {
                "*" -> Segment.One
                "**" -> Segment.Many
                else -> Segment.Literal(word)
            }
        }

        private fun variable() {
            expect('{')
            val field = takeUntil("=}", '}')
            require(FIELD.matches(field)) { "$text: \"$field\" is no field" }
            val first = segments.size
            if (at < text.length && text[at] == '=') {
                at++
                require(
                    '{' !in text.substring(at).substringBefore('}'),
                ) { "$text: a variable within one" }
                segments('}')
            } else {
                segments += Segment.One
            }
            expect('}')
            variables += Variable(field, first, segments.size - first)
        }

        private fun takeUntil(
            stops: String,
            end: Char,
        ): String {
            val start = at
            while (at < text.length && text[at] !in stops && text[at] != end) at++
            return text.substring(start, at)
        }

        private fun expect(char: Char) {
            require(at < text.length && text[at] == char) { "$text: a $char was expected at $at" }
            at++
        }

        private companion object {
            /** Characters of a template. */
            const val MOST = 2_000
            val FIELD = Regex("[A-Za-z_][A-Za-z0-9_]*(\\.[A-Za-z_][A-Za-z0-9_]*)*")
        }
    }
}

/** [text] with its percent signs decoded where they stand for [what]. Malformed ones stay. */
internal fun decode(
    text: String,
    what: (Byte) -> Boolean,
): String {
    if ('%' !in text) return text
    val bytes = java.io.ByteArrayOutputStream(text.length)
    var at = 0
    while (at < text.length) {
        val code =
            if (text[at] ==
                '%'
            ) {
                text
                    .substring(at + 1)
                    .take(2)
                    .takeIf { it.length == 2 }
                    ?.toIntOrNull(16)
            } else {
                null
            }
        if (code != null && what(code.toByte())) {
            bytes.write(code)
            at += 3
        } else {
            bytes.write(text[at].toString().toByteArray())
            at++
        }
    }
    return bytes.toString(Charsets.UTF_8)
}
