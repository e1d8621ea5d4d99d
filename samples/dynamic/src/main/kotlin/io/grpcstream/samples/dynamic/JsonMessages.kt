package io.grpcstream.samples.dynamic

import com.google.gson.stream.JsonWriter
import com.google.protobuf.Descriptors.Descriptor
import com.google.protobuf.DynamicMessage
import com.google.protobuf.Message
import java.io.StringReader
import java.io.StringWriter

/**
 * Messages as JSON and back, as protobuf defines it (protobuf.dev/programming-guides/json), for dynamic
 * messages: with the extensions of the [schema] as `"[pkg.extension]"`, and with what an Any holds
 * also where its type is not known: as base64, beside its `@type`. Immutable and thread-safe.
 *
 * JSON has no place for fields that the schema does not know; [unknownFields] names them.
 *
 * @param schema whose types an Any may hold, and whose extensions messages may have
 * @param defaults whether to print fields that are not set, too
 * @param indent what each level is indented by; empty for all on one line
 */
class JsonMessages(
    private val schema: Schema,
    private val defaults: Boolean = false,
    private val indent: String = "  ",
) {
    /** The same, printing all on one line. */
    fun compact(): JsonMessages = JsonMessages(schema, defaults, indent = "")

    /**
     * The message of that type that [json] is.
     *
     * @throws JsonException if it is none: its message names the line and the field
     */
    fun parse(
        json: String,
        type: Descriptor,
    ): DynamicMessage {
        val text = JsonText(StringReader(json))
        val value = text.next() ?: throw JsonException("expected a ${type.fullName}, found nothing")
        text.next()?.let {
            throw JsonException("there is more after the end of the ${type.fullName}", it.place)
        }
        return read(value, type)
    }

    /** The message of that type that a [JsonText] holds next, or null at its end; as [parse]. */
    fun next(
        text: JsonText,
        type: Descriptor,
    ): DynamicMessage? = text.next()?.let { read(it, type) }

    private fun read(
        value: JsonNode,
        type: Descriptor,
    ): DynamicMessage {
        val message = JsonDecoder(schema).message(type, value, path = "")
        val missing = message.findInitializationErrors()
        if (missing.isNotEmpty()) {
            throw JsonException("required, and not there: ${missing.joinToString()}", value.place)
        }
        return message
    }

    /** The message as JSON, without a line's end. */
    fun print(message: Message): String {
        val text = StringWriter()
        val writer =
            JsonWriter(text).apply {
                setIndent(indent)
                isHtmlSafe = false
                serializeNulls = true
            }
        JsonEncoder(writer, schema, defaults).message(message)
        writer.flush()
        return text.toString()
    }

    /** The fields of the message that its type does not know, such as `order.items.17`. */
    fun unknownFields(message: Message): Set<String> = UnknownFields.of(message)

    companion object {
        /** How deep values may be nested: as protobuf's own limit is. */
        const val MAX_DEPTH: Int = 100
    }
}

/**
 * JSON that is not the message that it should be.
 *
 * @property line where, from 1 on; 0 if that is not known
 * @property path the field, such as `order.items[2].price`; empty for the message itself
 */
class JsonException(
    message: String,
    val line: Int,
    val path: String,
    cause: Throwable? = null,
) : Exception(message, cause) {
    internal constructor(
        what: String,
        place: JsonPlace? = null,
        path: String = "",
        cause: Throwable? = null,
    ) : this(
        (place?.let { "line ${it.line}, column ${it.column}: " } ?: "") +
            (if (path.isEmpty()) "" else "$path: ") + what,
        place?.line ?: 0,
        path,
        cause,
    )
}
