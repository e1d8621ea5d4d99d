package io.grpcstream.samples.dynamic

/**
 * JSON that is not the message that it should be: the message says what Gson or protobuf's JsonFormat
 * say.
 *
 * @property line where, from 1 on; that where the value begins, if the JSON itself is well-formed; 0 if
 *   that is not known
 * @property path the place of malformed JSON, such as `order.items[2].price`; empty if it is well-formed
 */
class JsonException(
    message: String,
    val line: Int = 0,
    val path: String = "",
    cause: Throwable? = null,
) : Exception(message, cause) {
    internal companion object {
        /** They may repeat all of the JSON. */
        private const val SHOWN = 1_000
        private val PLACE = Regex("""at line (\d+) column \d+ path \$\.?(\S*)""")

        /** What Gson says of JSON that is malformed: it names line, column and path, and a page on it. */
        fun of(e: Throwable): JsonException {
            val text = e.message.orEmpty().substringBefore("\nSee http")
            return JsonException(text.take(SHOWN), lineIn(text), pathIn(text), e)
        }

        /** What JsonFormat says of the value that begins in that line: it names the field at best. */
        fun of(
            e: Throwable,
            line: Int,
        ): JsonException =
            JsonException("line $line: ${e.message.orEmpty().take(SHOWN)}", line, cause = e)

        fun lineIn(text: String): Int =
            PLACE
                .find(text)
                ?.groupValues
                ?.get(1)
                ?.toInt() ?: 0

        private fun pathIn(text: String): String =
            PLACE
                .find(text)
                ?.groupValues
                ?.get(2)
                .orEmpty()
    }
}
