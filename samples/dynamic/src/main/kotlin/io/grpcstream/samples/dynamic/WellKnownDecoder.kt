package io.grpcstream.samples.dynamic

import com.google.protobuf.Any
import com.google.protobuf.ByteString
import com.google.protobuf.CodedInputStream
import com.google.protobuf.Descriptors.Descriptor
import com.google.protobuf.DynamicMessage
import com.google.protobuf.ListValue
import com.google.protobuf.Message
import com.google.protobuf.NullValue
import com.google.protobuf.Struct
import com.google.protobuf.Value
import com.google.protobuf.util.Durations
import com.google.protobuf.util.FieldMaskUtil
import com.google.protobuf.util.Timestamps
import io.grpcstream.samples.dynamic.JsonDecoder.Companion.wrong
import java.text.ParseException

/** The types of protobuf's own that JSON has forms of its own for. */
internal class WellKnownDecoder(
    private val decoder: JsonDecoder,
    private val schema: Schema,
) {
    /** The message, or null if the type is not one of these. */
    fun message(
        type: Descriptor,
        value: JsonNode,
        path: String,
    ): DynamicMessage? {
        if (!WellKnown.isSpecial(type)) return null
        val message: Message =
            when (type.name) {
                "Any" -> {
                    any(type, value, path)
                }

                "Timestamp" -> {
                    parsed(
                        value,
                        path,
                        "a time such as \"2030-01-31T12:00:00Z\"",
                        Timestamps::parse,
                    )
                }

                "Duration" -> {
                    parsed(value, path, "a duration such as \"1.5s\"", Durations::parse)
                }

                "FieldMask" -> {
                    FieldMaskUtil.fromJsonString(decoder.string(value, path))
                }

                "Struct" -> {
                    struct(value, path)
                }

                "Value" -> {
                    value(value)
                }

                "ListValue" -> {
                    list(value, path)
                }

                else -> {
                    return wrapper(type, value, path)
                }
            }
        return message.into(type)
    }

    private fun parsed(
        value: JsonNode,
        path: String,
        wanted: String,
        parse: (String) -> Message,
    ): Message =
        try {
            parse(
                (value as? JsonNode.Str)?.text
                    ?: wrong(value, path, "expected $wanted, found ${value.kind}"),
            )
        } catch (e: ParseException) {
            throw JsonException("expected $wanted, found ${value.kind}", value.place, path, e)
        }

    private fun wrapper(
        type: Descriptor,
        value: JsonNode,
        path: String,
    ): DynamicMessage {
        val field = type.findFieldByNumber(1)
        return DynamicMessage
            .newBuilder(
                type,
            ).setField(field, decoder.single(field, value, path))
            .build()
    }

    private fun any(
        type: Descriptor,
        value: JsonNode,
        path: String,
    ): Message {
        val members = decoder.members(type, value, path)
        val named = members.find { it.name == "@type" }
        if (named == null) {
            if (members.isEmpty()) return Any.getDefaultInstance()
            wrong(
                value,
                path,
                "an Any needs an \"@type\", such as \"type.googleapis.com/pkg.Message\"",
            )
        }
        val url = decoder.string(named.value, "$path.@type")
        val held = members - named
        return Any
            .newBuilder()
            .setTypeUrl(url)
            .setValue(held(url, held, named, path))
            .build()
    }

    private fun held(
        url: String,
        members: List<JsonNode.Member>,
        named: JsonNode.Member,
        path: String,
    ): ByteString {
        val single = members.singleOrNull()?.takeIf { it.name == "value" }?.value
        val held = schema.types.find(url.substringAfterLast('/'))
        return when {
            held == null -> {
                if (single == null) {
                    throw JsonException(
                        "the type $url is not known: give its bytes in base64, as \"value\"",
                        named.place,
                        path,
                    )
                }
                decoder.bytes(single, "$path.value")
            }

            WellKnown.isSpecial(held) -> {
                if (single == null) {
                    throw JsonException(
                        "a ${held.fullName} in an Any is its \"value\"",
                        named.place,
                        path,
                    )
                }
                decoder.message(held, single, "$path.value").toByteString()
            }

            else -> {
                decoder.plain(held, members, path).toByteString()
            }
        }
    }

    private fun struct(
        value: JsonNode,
        path: String,
    ): Struct {
        val members =
            value as? JsonNode.Obj ?: wrong(value, path, "expected an object, found ${value.kind}")
        return Struct
            .newBuilder()
            .apply {
                members.members.forEach { putFields(it.name, value(it.value)) }
            }.build()
    }

    private fun list(
        value: JsonNode,
        path: String,
    ): ListValue {
        val elements =
            value as? JsonNode.Arr ?: wrong(value, path, "expected an array, found ${value.kind}")
        return ListValue.newBuilder().addAllValues(elements.elements.map(::value)).build()
    }

    private fun value(value: JsonNode): Value {
        val builder = Value.newBuilder()
        when (value) {
            is JsonNode.Null -> builder.setNullValue(NullValue.NULL_VALUE)
            is JsonNode.Bool -> builder.setBoolValue(value.value)
            is JsonNode.Num -> builder.setNumberValue(value.text.toDouble())
            is JsonNode.Str -> builder.setStringValue(value.text)
            is JsonNode.Obj -> builder.setStructValue(struct(value, ""))
            is JsonNode.Arr -> builder.setListValue(list(value, ""))
        }
        return builder.build()
    }

    /** The same message, of the peer's own descriptor of it. */
    private fun Message.into(type: Descriptor): DynamicMessage {
        val bytes: CodedInputStream = toByteString().newCodedInput()
        bytes.setRecursionLimit(WellKnown.STRUCT_DEPTH) // A level of JSON is three of a Struct's.
        return DynamicMessage.newBuilder(type).mergeFrom(bytes).build()
    }
}

/** Which types they are. */
internal object WellKnown {
    const val STRUCT_DEPTH = 4 * JsonMessages.MAX_DEPTH

    private val WRAPPERS =
        setOf(
            "DoubleValue",
            "FloatValue",
            "Int64Value",
            "UInt64Value",
            "Int32Value",
            "UInt32Value",
            "BoolValue",
            "StringValue",
            "BytesValue",
        )
    private val OTHERS =
        setOf("Any", "Timestamp", "Duration", "FieldMask", "Struct", "Value", "ListValue")

    /** Whether JSON has a form of its own for it, which is not that of its fields. */
    fun isSpecial(type: Descriptor): Boolean =
        type.file.`package` == "google.protobuf" &&
            type.containingType == null &&
            (type.name in OTHERS || isWrapper(type))

    fun isWrapper(type: Descriptor): Boolean =
        type.name in WRAPPERS && type.findFieldByNumber(1)?.let { !it.isRepeated } == true
}
