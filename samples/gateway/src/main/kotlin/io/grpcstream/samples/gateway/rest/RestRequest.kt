package io.grpcstream.samples.gateway.rest

import com.google.protobuf.ByteString
import com.google.protobuf.Descriptors.Descriptor
import com.google.protobuf.Descriptors.FieldDescriptor
import com.google.protobuf.Descriptors.FieldDescriptor.JavaType
import com.google.protobuf.DynamicMessage
import com.google.protobuf.InvalidProtocolBufferException
import com.google.protobuf.Message
import com.google.protobuf.util.JsonFormat
import java.util.Base64

/**
 * Puts a message together from the parts of an HTTP request, as `google/api/http.proto` says: the body,
 * then the query's parameters, then the path's variables.
 *
 * @param json how JSON is read
 */
internal class RestRequest(
    private val json: JsonFormat.Parser,
) {
    /** @throws IllegalArgumentException if a part does not fit the message, with the reason */
    fun build(
        match: HttpRoutes.Match,
        query: List<Pair<String, String>>,
        body: String,
    ): DynamicMessage {
        val route = match.route
        val message = DynamicMessage.newBuilder(route.method.inputType)
        when {
            route.body.isEmpty() -> {
                require(body.isBlank()) { "${route.verb} ${route.template} takes no body" }
            }

            body.isBlank() -> {}

            route.body == "*" -> {
                merge(body, message)
            }

            else -> {
                val name = field(message.descriptorForType, route.body).jsonName
                merge("{\"$name\": ${oneValue(body)}}", message)
            }
        }
        if (route.body == "*") {
            require(query.isEmpty()) { "${route.verb} ${route.template} takes no query" }
        }
        query.groupBy({ it.first }, { it.second }).forEach { (path, values) ->
            set(message, path, values)
        }
        match.variables.forEach { (path, value) -> set(message, path, listOf(value)) }
        return message.build()
    }

    private fun merge(
        text: String,
        message: Message.Builder,
    ) {
        try {
            json.merge(text, message)
        } catch (e: InvalidProtocolBufferException) {
            throw IllegalArgumentException(
                "the JSON is no ${message.descriptorForType.fullName}: ${e.message}",
                e,
            )
        }
    }

    private fun set(
        message: Message.Builder,
        path: String,
        values: List<String>,
    ) {
        val names = path.split('.')
        var builder = message
        for (name in names.dropLast(1)) {
            val field = field(builder.descriptorForType, name)
            require(
                field.javaType == JavaType.MESSAGE && !field.isRepeated,
            ) { "$path: $name has no fields" }
            builder = builder.getFieldBuilder(field)
        }
        val field = field(builder.descriptorForType, names.last())
        require(!field.isMapField) { "$path: a map has to be in the body" }
        if (field.isRepeated) {
            values.forEach { builder.addRepeatedField(field, value(builder, field, path, it)) }
        } else {
            require(values.size == 1) { "$path is there ${values.size} times, and takes one value" }
            builder.setField(field, value(builder, field, path, values.single()))
        }
    }

    private fun value(
        builder: Message.Builder,
        field: FieldDescriptor,
        path: String,
        text: String,
    ): Any =
        try {
            when (field.javaType) {
                JavaType.STRING -> {
                    text
                }

                JavaType.BOOLEAN -> {
                    text.toBooleanStrict()
                }

                JavaType.INT -> {
                    if (field.type in
                        UNSIGNED
                    ) {
                        Integer.parseUnsignedInt(text)
                    } else {
                        text.toInt()
                    }
                }

                JavaType.LONG -> {
                    if (field.type in
                        UNSIGNED
                    ) {
                        java.lang.Long.parseUnsignedLong(text)
                    } else {
                        text.toLong()
                    }
                }

                JavaType.FLOAT -> {
                    text.toFloat()
                }

                JavaType.DOUBLE -> {
                    text.toDouble()
                }

                JavaType.BYTE_STRING -> {
                    bytes(text)
                }

                JavaType.ENUM -> {
                    enumValue(field, text)
                }

                JavaType.MESSAGE -> {
                    wellKnown(builder.newBuilderForField(field), text)
                }
            }
        } catch (e: IllegalArgumentException) {
            throw IllegalArgumentException("$path: \"$text\" is no ${typeOf(field)}", e)
        }

    private fun enumValue(
        field: FieldDescriptor,
        text: String,
    ): Any =
        field.enumType.findValueByName(text)
            ?: text.toIntOrNull()?.let { field.enumType.findValueByNumberCreatingIfUnknown(it) }
            ?: throw IllegalArgumentException("no value of ${field.enumType.fullName}")

    /** Those that JSON has as one value: timestamps, durations, wrappers, field masks. */
    private fun wellKnown(
        message: Message.Builder,
        text: String,
    ): Message {
        require(message.descriptorForType.fullName in ONE_VALUE) {
            "its fields have to be named one by one"
        }
        try {
            json.merge(quoted(text), message)
        } catch (e: InvalidProtocolBufferException) {
            throw IllegalArgumentException(e.message, e)
        }
        return message.build()
    }

    private companion object {
        val UNSIGNED =
            setOf(
                FieldDescriptor.Type.UINT32,
                FieldDescriptor.Type.FIXED32,
                FieldDescriptor.Type.UINT64,
                FieldDescriptor.Type.FIXED64,
            )

        val ONE_VALUE =
            setOf(
                "Timestamp",
                "Duration",
                "FieldMask",
                "DoubleValue",
                "FloatValue",
                "Int64Value",
                "UInt64Value",
                "Int32Value",
                "UInt32Value",
                "BoolValue",
                "StringValue",
                "BytesValue",
            ).map { "google.protobuf.$it" }.toSet()

        fun field(
            type: Descriptor,
            name: String,
        ): FieldDescriptor =
            requireNotNull(type.findFieldByName(name) ?: type.fields.find { it.jsonName == name }) {
                "${type.fullName} has no field \"$name\""
            }

        fun typeOf(field: FieldDescriptor): String =
            when (field.javaType) {
                JavaType.MESSAGE -> field.messageType.fullName
                JavaType.ENUM -> field.enumType.fullName
                else -> field.type.name.lowercase()
            }

        fun bytes(text: String): ByteString {
            val decoder =
                if ('-' in text ||
                    '_' in text
                ) {
                    Base64.getUrlDecoder()
                } else {
                    Base64.getDecoder()
                }
            return ByteString.copyFrom(decoder.decode(text))
        }
    }
}
