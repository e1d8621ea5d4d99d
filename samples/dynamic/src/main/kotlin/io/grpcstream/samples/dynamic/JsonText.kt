package io.grpcstream.samples.dynamic

import java.io.Closeable
import java.io.Reader

/** A place in a text, from 1 on. */
internal data class JsonPlace(
    val line: Int,
    val column: Int,
)

/** A JSON value, and where it begins. */
internal sealed class JsonNode {
    abstract val place: JsonPlace

    class Obj(
        override val place: JsonPlace,
        val members: List<Member>,
    ) : JsonNode()

    class Arr(
        override val place: JsonPlace,
        val elements: List<JsonNode>,
    ) : JsonNode()

    class Str(
        override val place: JsonPlace,
        val text: String,
    ) : JsonNode()

    /** As it was written. */
    class Num(
        override val place: JsonPlace,
        val text: String,
    ) : JsonNode()

    class Bool(
        override val place: JsonPlace,
        val value: Boolean,
    ) : JsonNode()

    class Null(
        override val place: JsonPlace,
    ) : JsonNode()

    class Member(
        val place: JsonPlace,
        val name: String,
        val value: JsonNode,
    )

    /** What it is, for messages. */
    val kind: String
        get() =
            when (this) {
                is Obj -> "an object"
                is Arr -> "an array"
                is Str -> "\"${text.take(SHOWN)}${if (text.length > SHOWN) "…" else ""}\""
                is Num -> text.take(SHOWN)
                is Bool -> value.toString()
                is Null -> "null"
            }

    private companion object {
        const val SHOWN = 40
    }
}

/**
 * JSON values (RFC 8259) of a text, one after the other, with or without white space between
 * them. Each is there once its last character was read, and no more is read then: so it can be followed
 * what someone types, or a program that waits for answers. Not thread-safe; blocks as [source] does.
 */
class JsonText(
    private val source: Reader,
) : Closeable {
    private var line = 1
    private var column = 1

    /** A character that was looked at, or [NONE], or [END]. */
    private var ahead = NONE

    /**
     * The next value, or null at the end.
     *
     * @throws JsonException if it is malformed, or nested too deeply
     */
    internal fun next(): JsonNode? {
        skipSpace()
        return if (peek() == END) null else value(depth = 1)
    }

    private val place get() = JsonPlace(line, column)

    private fun value(depth: Int): JsonNode {
        skipSpace()
        val begin = place
        if (depth > JsonMessages.MAX_DEPTH) {
            throw JsonException("nested more than ${JsonMessages.MAX_DEPTH} deep", begin)
        }
        return when (val c = peek()) {
            '{'.code -> obj(begin, depth)
            '['.code -> arr(begin, depth)
            '"'.code -> JsonNode.Str(begin, string())
            '-'.code, in '0'.code..'9'.code -> JsonNode.Num(begin, number())
            else -> if (c in 'a'.code..'z'.code) word(begin) else unexpected("a value")
        }
    }

    private fun obj(
        begin: JsonPlace,
        depth: Int,
    ): JsonNode {
        take()
        val members = ArrayList<JsonNode.Member>()
        skipSpace()
        if (peek() == '}'.code) {
            take()
            return JsonNode.Obj(begin, members)
        }
        while (true) {
            skipSpace()
            val at = place
            if (peek() != '"'.code) unexpected("a name in quotes")
            val name = string()
            skipSpace()
            if (peek() != ':'.code) unexpected("a colon")
            take()
            members += JsonNode.Member(at, name, value(depth + 1))
            skipSpace()
            when (peek()) {
                ','.code -> {
                    take()
                }

                '}'.code -> {
                    take()
                    return JsonNode.Obj(begin, members)
                }

                else -> {
                    unexpected("a comma or }")
                }
            }
        }
    }

    private fun arr(
        begin: JsonPlace,
        depth: Int,
    ): JsonNode {
        take()
        val elements = ArrayList<JsonNode>()
        skipSpace()
        if (peek() == ']'.code) {
            take()
            return JsonNode.Arr(begin, elements)
        }
        while (true) {
            elements += value(depth + 1)
            skipSpace()
            when (peek()) {
                ','.code -> {
                    take()
                }

                ']'.code -> {
                    take()
                    return JsonNode.Arr(begin, elements)
                }

                else -> {
                    unexpected("a comma or ]")
                }
            }
        }
    }

    private fun string(): String {
        val begin = place
        take()
        val text = StringBuilder()
        while (true) {
            when (val c = peek()) {
                END -> {
                    throw JsonException("a string without its end", begin)
                }

                '"'.code -> {
                    take()
                    return text.toString()
                }

                '\\'.code -> {
                    text.append(escaped())
                }

                in 0 until ' '.code -> {
                    unexpected("the rest of the string (a line's end is \\n there)")
                }

                else -> {
                    take()
                    text.append(c.toChar())
                }
            }
        }
    }

    private fun escaped(): Char {
        val begin = place
        take()
        return when (take()) {
            '"'.code -> {
                '"'
            }

            '\\'.code -> {
                '\\'
            }

            '/'.code -> {
                '/'
            }

            'b'.code -> {
                '\b'
            }

            'f'.code -> {
                '\u000c'
            }

            'n'.code -> {
                '\n'
            }

            'r'.code -> {
                '\r'
            }

            't'.code -> {
                '\t'
            }

            'u'.code -> {
                var code = 0
                repeat(4) {
                    val digit = take().takeIf { it > 0 }?.toChar()?.digitToIntOrNull(16)
                    code =
                        code * 16 +
                        (
                            digit
                                ?: throw JsonException("\\u needs four hexadecimal digits", begin)
                        )
                }
                code.toChar()
            }

            else -> {
                throw JsonException("no escape that JSON knows", begin)
            }
        }
    }

    private fun number(): String {
        val begin = place
        val text = StringBuilder()
        while (true) {
            val c = peek()
            if (c < 0 || (c.toChar() !in '0'..'9' && c.toChar() !in "+-.eE")) break
            if (text.length >=
                MAX_NUMBER
            ) {
                throw JsonException("a number of more than $MAX_NUMBER characters", begin)
            }
            text.append(take().toChar())
        }
        if (!NUMBER.matches(text)) throw JsonException("$text is no number", begin)
        return text.toString()
    }

    private fun word(begin: JsonPlace): JsonNode {
        val text = StringBuilder()
        while (peek() >= 0 && peek().toChar().isLetter() &&
            text.length < MAX_WORD
        ) {
            text.append(take().toChar())
        }
        return when (text.toString()) {
            "true" -> JsonNode.Bool(begin, true)

            "false" -> JsonNode.Bool(begin, false)

            "null" -> JsonNode.Null(begin)

            else -> throw JsonException(
                "expected a value, found $text (strings stand in double quotes)",
                begin,
            )
        }
    }

    private fun skipSpace() {
        while (true) {
            when (peek()) {
                ' '.code, '\t'.code, '\r'.code, '\n'.code, BYTE_ORDER_MARK -> take()
                else -> return
            }
        }
    }

    private fun peek(): Int {
        if (ahead == NONE) ahead = source.read()
        return ahead
    }

    private fun take(): Int {
        val c = peek()
        ahead = if (c == END) END else NONE
        if (c == '\n'.code) {
            line++
            column = 1
        } else {
            column++
        }
        return c
    }

    private fun unexpected(wanted: String): Nothing {
        val found =
            when (val c = peek()) {
                END -> "the end"
                in 0 until ' '.code -> "a control character"
                else -> "'${c.toChar()}'"
            }
        throw JsonException("expected $wanted, found $found", place)
    }

    override fun close(): Unit = source.close()

    private companion object {
        const val END = -1
        const val NONE = -2
        const val BYTE_ORDER_MARK = 0xFEFF
        const val MAX_NUMBER = 1_000
        const val MAX_WORD = 40
        val NUMBER = Regex("""-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?""")
    }
}
