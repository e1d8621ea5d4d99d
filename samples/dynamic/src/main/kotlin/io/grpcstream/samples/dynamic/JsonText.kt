package io.grpcstream.samples.dynamic

import com.google.gson.JsonIOException
import com.google.gson.JsonParseException
import com.google.gson.JsonParser
import com.google.gson.Strictness
import com.google.gson.stream.JsonReader
import com.google.gson.stream.JsonToken
import com.google.gson.stream.MalformedJsonException
import java.io.Closeable
import java.io.EOFException
import java.io.FilterReader
import java.io.IOException
import java.io.Reader

/**
 * JSON values of a text, one after the other, with or without white space between them, read by Gson:
 * which also takes comments, and names without quotes. An object or array is there once its last
 * character was read: so it can be followed what someone types, or a program that waits for answers.
 * Not thread-safe; blocks as [source] does.
 *
 * @param maxCharacters of one value, some thousand more or less; each takes some sixty bytes of memory
 *   at worst
 */
class JsonText(
    private val source: Reader,
    private val maxCharacters: Int = MAX_CHARACTERS,
) : Closeable {
    private val bounded = Bounded()
    private val reader = JsonReader(bounded).apply { nestingLimit = JsonMessages.MAX_DEPTH }

    /** A value, and the line where it begins. */
    internal class Value(
        val json: String,
        val line: Int,
    )

    /**
     * The next value, or null at the end.
     *
     * @throws JsonException if it is malformed, nested too deeply or too large
     * @throws IOException if the source cannot be read
     */
    internal fun next(): Value? =
        try {
            bounded.left = maxCharacters
            if (atEnd()) {
                null
            } else {
                // Lenient from the first value on only: before that, Gson waits for five characters.
                reader.strictness = Strictness.LENIENT
                val line = JsonException.lineIn(reader.toString())
                Value(JsonParser.parseReader(reader).toString(), line)
            }
        } catch (e: JsonIOException) {
            throw e.cause as? IOException ?: e
        } catch (e: JsonParseException) {
            throw JsonException.of(e.cause ?: e)
        } catch (e: MalformedJsonException) {
            throw JsonException.of(e)
        }

    private fun atEnd(): Boolean =
        try {
            reader.peek() == JsonToken.END_DOCUMENT
        } catch (e: EOFException) {
            true // A text without any value.
        }

    override fun close(): Unit = source.close()

    private inner class Bounded : FilterReader(source) {
        var left = 0

        override fun read(
            buffer: CharArray,
            offset: Int,
            length: Int,
        ): Int {
            if (left <= 0) {
                throw JsonException("a value of more than %,d characters".format(maxCharacters))
            }
            return super.read(buffer, offset, length).also { left -= it }
        }
    }

    companion object {
        /** As many of one value, unless said otherwise. */
        const val MAX_CHARACTERS: Int = 8 shl 20
    }
}
