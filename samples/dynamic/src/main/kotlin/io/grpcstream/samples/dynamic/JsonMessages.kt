package io.grpcstream.samples.dynamic

import com.google.gson.FormattingStyle
import com.google.gson.GsonBuilder
import com.google.gson.JsonElement
import com.google.gson.JsonObject
import com.google.gson.JsonParser
import com.google.gson.stream.JsonReader
import com.google.protobuf.Descriptors.Descriptor
import com.google.protobuf.DynamicMessage
import com.google.protobuf.InvalidProtocolBufferException
import com.google.protobuf.Message
import com.google.protobuf.TextFormat
import com.google.protobuf.util.JsonFormat
import java.io.StringReader

/**
 * Messages as JSON and back, as protobuf's [JsonFormat] does it (protobuf.dev/programming-guides/json).
 * Immutable and thread-safe.
 *
 * JSON has no place for fields that the schema does not know; [unknownFields] names them. Extensions
 * (proto2) are printed under their plain names, and cannot be given.
 *
 * @param types those that an Any may hold; `BytesValue`, as which others are printed, among them
 * @param defaults whether to print fields that are not set, too
 * @param indent what each level is indented by, white space; empty for all on one line
 */
class JsonMessages(
    private val types: JsonFormat.TypeRegistry,
    private val defaults: Boolean = false,
    private val indent: String = "  ",
) {
    /** The same, of all types of [schema]. */
    constructor(schema: Schema, defaults: Boolean = false, indent: String = "  ") :
        this(schema.types, defaults, indent)

    private val opaque = OpaqueAnys(types)

    private val parser by lazy { JsonFormat.parser().usingTypeRegistry(types) }

    private val printer by lazy {
        val plain =
            JsonFormat.printer().usingTypeRegistry(types).omittingInsignificantWhitespace()
        if (defaults) plain.alwaysPrintFieldsWithNoPresence() else plain
    }

    /** JsonFormat writes each `'` and `<` as an escape, and a map's key twice if a peer did. */
    private val gson =
        GsonBuilder()
            .disableHtmlEscaping()
            .serializeNulls()
            .setFormattingStyle(
                if (indent.isEmpty()) {
                    FormattingStyle.COMPACT
                } else {
                    FormattingStyle.PRETTY.withIndent(indent)
                },
            ).create()

    /** The same, printing all on one line. */
    fun compact(): JsonMessages = JsonMessages(types, defaults, indent = "")

    /**
     * The message of that type that [json] is.
     *
     * @throws JsonException if it is none: its message names the line
     */
    fun parse(
        json: String,
        type: Descriptor,
    ): DynamicMessage {
        val text = JsonText(StringReader(json), maxCharacters = Int.MAX_VALUE)
        val message =
            next(text, type) ?: throw JsonException("expected a ${type.fullName}, found nothing")
        text.next()?.let {
            throw JsonException(
                "line ${it.line}: there is more after the end of the ${type.fullName}",
                it.line,
            )
        }
        return message
    }

    /** The message of that type that a [JsonText] holds next, or null at its end; as [parse]. */
    fun next(
        text: JsonText,
        type: Descriptor,
    ): DynamicMessage? {
        val value = text.next() ?: return null
        try {
            val builder = DynamicMessage.newBuilder(type)
            parser.merge(value.json, builder)
            return builder.build()
        } catch (e: InvalidProtocolBufferException) {
            throw JsonException.of(e, value.line)
        } catch (e: RuntimeException) {
            // What JsonFormat does not foresee, and required fields that are missing.
            throw JsonException.of(e, value.line)
        }
    }

    /**
     * The message as JSON, without a line's end. It comes from a peer, so nothing in it makes this fail:
     * what an Any holds is printed as bytes where it is not of a known type (see [OpaqueAnys]), and a
     * message that has no form in JSON, such as one with a time after the year 9999, as an object
     * that says why, as `@error`, and has it in protobuf's text format, as `@text`.
     */
    fun print(message: Message): String {
        val json =
            try {
                reread(printer.print(opaque.printable(message)))
            } catch (e: InvalidProtocolBufferException) {
                asText(message, e)
            } catch (e: RuntimeException) {
                // What JsonFormat does not foresee of types that only bear the names of protobuf's.
                asText(message, e)
            }
        return terminalSafe(gson.toJson(json))
    }

    private fun reread(json: String): JsonElement =
        JsonParser.parseReader(
            JsonReader(StringReader(json)).apply { nestingLimit = Int.MAX_VALUE },
        )

    private fun asText(
        message: Message,
        e: Exception,
    ): JsonElement =
        JsonObject().apply {
            addProperty("@error", "no JSON for ${message.descriptorForType.fullName}: ${e.message}")
            addProperty("@text", TextFormat.printer().printToString(message))
        }

    /** The fields of the message that its type does not know, such as `order.items.17`. */
    fun unknownFields(message: Message): Set<String> = UnknownFields.of(message)

    companion object {
        /** How deep values may be nested: as protobuf's own limit is. */
        const val MAX_DEPTH: Int = 100
    }
}
