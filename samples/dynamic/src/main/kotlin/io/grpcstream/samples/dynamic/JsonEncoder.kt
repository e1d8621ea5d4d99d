package io.grpcstream.samples.dynamic

import com.google.gson.stream.JsonWriter
import com.google.protobuf.Any
import com.google.protobuf.ByteString
import com.google.protobuf.Descriptors.EnumValueDescriptor
import com.google.protobuf.Descriptors.FieldDescriptor
import com.google.protobuf.Descriptors.FieldDescriptor.JavaType
import com.google.protobuf.Duration
import com.google.protobuf.DynamicMessage
import com.google.protobuf.FieldMask
import com.google.protobuf.InvalidProtocolBufferException
import com.google.protobuf.ListValue
import com.google.protobuf.Message
import com.google.protobuf.Struct
import com.google.protobuf.Timestamp
import com.google.protobuf.Value
import com.google.protobuf.util.Durations
import com.google.protobuf.util.FieldMaskUtil
import com.google.protobuf.util.Timestamps
import java.util.Base64

/** Writes messages as JSON. They come from peers: nothing in them makes it fail. */
internal class JsonEncoder(
    private val writer: JsonWriter,
    private val schema: Schema,
    private val defaults: Boolean,
) {
    private var depth = 0

    fun message(message: Message) {
        depth++
        if (WellKnown.isSpecial(message.descriptorForType)) {
            special(message)
        } else {
            writer.beginObject()
            fields(message)
            writer.endObject()
        }
        depth--
    }

    private fun fields(message: Message) {
        val shown =
            if (defaults) {
                val all =
                    message.descriptorForType.fields.filter {
                        !it.hasPresence() ||
                            message.hasField(it)
                    }
                all + message.allFields.keys.filter { it.isExtension }
            } else {
                message.allFields.keys
            }
        for (field in shown) {
            writer.name(if (field.isExtension) "[${field.fullName}]" else field.jsonName)
            field(field, message.getField(field))
        }
    }

    private fun field(
        field: FieldDescriptor,
        value: kotlin.Any,
    ) {
        when {
            field.isMapField -> {
                map(field, value as List<*>)
            }

            field.isRepeated -> {
                writer.beginArray()
                (value as List<*>).forEach { single(field, it!!) }
                writer.endArray()
            }

            else -> {
                single(field, value)
            }
        }
    }

    private fun map(
        field: FieldDescriptor,
        entries: List<*>,
    ) {
        val keyField = field.messageType.findFieldByNumber(1)
        val valueField = field.messageType.findFieldByNumber(2)
        // The last of equal keys counts.
        val last = LinkedHashMap<String, kotlin.Any>()
        for (entry in entries) {
            val message = entry as Message
            last[keyText(keyField, message.getField(keyField))] = message.getField(valueField)
        }
        writer.beginObject()
        for ((key, value) in last) {
            writer.name(key)
            single(valueField, value)
        }
        writer.endObject()
    }

    private fun keyText(
        field: FieldDescriptor,
        key: kotlin.Any,
    ): String = if (key is Number) integer(field, key) else key.toString()

    private fun single(
        field: FieldDescriptor,
        value: kotlin.Any,
    ) {
        when (field.javaType!!) {
            JavaType.INT -> writer.value(integer(field, value as Number).toLong())
            JavaType.LONG -> writer.value(integer(field, value as Number))
            JavaType.FLOAT -> real(value as Float, (value as Float).toDouble())
            JavaType.DOUBLE -> real(value as Double, value as Double)
            JavaType.BOOLEAN -> writer.value(value as Boolean)
            JavaType.STRING -> writer.value(value as String)
            JavaType.BYTE_STRING -> writer.value(base64(value as ByteString))
            JavaType.ENUM -> enumeration(value as EnumValueDescriptor)
            JavaType.MESSAGE -> message(value as Message)
        }
    }

    private fun integer(
        field: FieldDescriptor,
        value: Number,
    ): String =
        when (field.type) {
            FieldDescriptor.Type.UINT32, FieldDescriptor.Type.FIXED32 -> {
                value
                    .toInt()
                    .toUInt()
                    .toString()
            }

            FieldDescriptor.Type.UINT64, FieldDescriptor.Type.FIXED64 -> {
                value
                    .toLong()
                    .toULong()
                    .toString()
            }

            else -> {
                value.toString()
            }
        }

    private fun real(
        number: Number,
        value: Double,
    ) {
        if (value.isNaN() ||
            value.isInfinite()
        ) {
            writer.value(value.toString())
        } else {
            writer.value(number)
        }
    }

    private fun enumeration(value: EnumValueDescriptor) {
        when {
            value.type.fullName == "google.protobuf.NullValue" -> writer.nullValue()

            value.index < 0 -> writer.value(value.number)

            // One that its type does not know.
            else -> writer.value(value.name)
        }
    }

    private fun base64(bytes: ByteString): String =
        Base64.getEncoder().encodeToString(bytes.toByteArray())

    /** A form of its own, or that of its fields where what it holds has none. */
    private fun special(message: Message) {
        val bytes = message.toByteString()
        try {
            when (val name = message.descriptorForType.name) {
                "Any" -> {
                    any(Any.parseFrom(bytes))
                }

                "Timestamp" -> {
                    writer.value(Timestamps.toString(Timestamp.parseFrom(bytes)))
                }

                "Duration" -> {
                    writer.value(Durations.toString(Duration.parseFrom(bytes)))
                }

                "FieldMask" -> {
                    writer.value(FieldMaskUtil.toJsonString(FieldMask.parseFrom(bytes)))
                }

                "Struct", "Value", "ListValue" -> {
                    structured(name, bytes)
                }

                else -> {
                    val field = message.descriptorForType.findFieldByNumber(1)
                    single(field, message.getField(field))
                }
            }
        } catch (e: IllegalArgumentException) {
            asFields(message) // A time out of range.
        } catch (e: InvalidProtocolBufferException) {
            asFields(message) // Not what it is called.
        }
    }

    private fun asFields(message: Message) {
        writer.beginObject()
        fields(message)
        writer.endObject()
    }

    private fun structured(
        name: String,
        bytes: ByteString,
    ) {
        val input = bytes.newCodedInput()
        input.setRecursionLimit(WellKnown.STRUCT_DEPTH)
        when (name) {
            "Struct" -> struct(Struct.newBuilder().mergeFrom(input).build())
            "ListValue" -> list(ListValue.newBuilder().mergeFrom(input).build())
            else -> value(Value.newBuilder().mergeFrom(input).build())
        }
    }

    private fun struct(struct: Struct) {
        writer.beginObject()
        for ((name, value) in struct.fieldsMap) {
            writer.name(name)
            value(value)
        }
        writer.endObject()
    }

    private fun list(list: ListValue) {
        writer.beginArray()
        list.valuesList.forEach(::value)
        writer.endArray()
    }

    private fun value(value: Value) {
        when (value.kindCase!!) {
            Value.KindCase.NUMBER_VALUE -> real(value.numberValue, value.numberValue)
            Value.KindCase.STRING_VALUE -> writer.value(value.stringValue)
            Value.KindCase.BOOL_VALUE -> writer.value(value.boolValue)
            Value.KindCase.STRUCT_VALUE -> struct(value.structValue)
            Value.KindCase.LIST_VALUE -> list(value.listValue)
            Value.KindCase.NULL_VALUE, Value.KindCase.KIND_NOT_SET -> writer.nullValue()
        }
    }

    private fun any(any: Any) {
        writer.beginObject()
        if (any.typeUrl.isNotEmpty()) writer.name("@type").value(any.typeUrl)
        val held = held(any)
        when {
            held == null -> {
                if (!any.value.isEmpty) writer.name("value").value(base64(any.value))
            }

            WellKnown.isSpecial(held.descriptorForType) -> {
                writer.name("value")
                message(held)
            }

            else -> {
                fields(held)
            }
        }
        writer.endObject()
    }

    /** Null if its type is not known, its bytes are none of that type's, or they are nested too deeply. */
    private fun held(any: Any): Message? {
        if (depth > JsonMessages.MAX_DEPTH) return null
        val type = schema.types.find(any.typeUrl.substringAfterLast('/')) ?: return null
        return try {
            DynamicMessage.parseFrom(type, any.value, schema.extensions)
        } catch (e: InvalidProtocolBufferException) {
            null
        }
    }
}

/** Names the fields that messages have and their types do not. */
internal object UnknownFields {
    fun of(message: Message): Set<String> =
        LinkedHashSet<String>().also { collect(message, "", it) }

    private fun collect(
        message: Message,
        path: String,
        found: MutableSet<String>,
    ) {
        message.unknownFields
            .asMap()
            .keys
            .forEach { found += "$path$it" }
        for ((field, value) in message.allFields) {
            if (field.javaType != JavaType.MESSAGE) continue
            val inside = "$path${field.name}."
            if (value is List<*>) {
                value.forEach { collect(it as Message, inside, found) }
            } else {
                collect(value as Message, inside, found)
            }
        }
    }
}
