package io.grpcstream.samples.dynamic

import com.google.protobuf.Any
import com.google.protobuf.BytesValue
import com.google.protobuf.Descriptors.FieldDescriptor.JavaType
import com.google.protobuf.DynamicMessage
import com.google.protobuf.InvalidProtocolBufferException
import com.google.protobuf.Message
import com.google.protobuf.util.JsonFormat

/**
 * Makes messages printable whose Anys hold what the schema does not know, or what is malformed: such an
 * Any then holds a `BytesValue` of the bytes, and its URL ends with that type's name. So it is printed
 * as `{"@type": "example.com/pkg.Unknown/google.protobuf.BytesValue", "value": "…base64…"}`.
 */
internal class OpaqueAnys(
    private val types: JsonFormat.TypeRegistry,
) {
    /** The message, or one that stands for it. */
    fun printable(message: Message): Message = printable(message, depth = 0)

    private fun printable(
        message: Message,
        depth: Int,
    ): Message {
        if (message.descriptorForType.fullName == ANY) return any(message, depth)
        var changed: Message.Builder? = null
        for ((field, value) in message.allFields) {
            if (field.javaType != JavaType.MESSAGE) continue
            if (field.isRepeated) {
                (value as List<*>).forEachIndexed { index, element ->
                    val other = printable(element as Message, depth)
                    if (other !== element) {
                        changed =
                            (changed ?: message.toBuilder()).setRepeatedField(field, index, other)
                    }
                }
            } else {
                val other = printable(value as Message, depth)
                if (other !==
                    value
                ) {
                    changed = (changed ?: message.toBuilder()).setField(field, other)
                }
            }
        }
        return changed?.buildPartial() ?: message
    }

    private fun any(
        message: Message,
        depth: Int,
    ): Message {
        val any =
            try {
                Any.parseFrom(message.toByteString())
            } catch (e: InvalidProtocolBufferException) {
                return message // A type of that name that is not protobuf's.
            }
        if (any == Any.getDefaultInstance()) return message
        val held = if (depth < MAX_DEPTH) held(any) else null
        val shown = held?.let { printable(it, depth + 1) }
        return when {
            shown == null -> {
                Any
                    .newBuilder()
                    .setTypeUrl("${any.typeUrl}/$BYTES")
                    .setValue(BytesValue.of(any.value).toByteString())
                    .build()
                    .into(message)
            }

            shown === held -> {
                message
            }

            else -> {
                any
                    .toBuilder()
                    .setValue(shown.toByteString())
                    .build()
                    .into(message)
            }
        }
    }

    private fun held(any: Any): Message? {
        if ('/' !in any.typeUrl) return null
        val type = types.find(any.typeUrl.substringAfterLast('/')) ?: return null
        return try {
            DynamicMessage.parseFrom(type, any.value)
        } catch (e: InvalidProtocolBufferException) {
            null
        }
    }

    /** As a message of the same class as another Any. */
    private fun Any.into(other: Message): Message =
        other.newBuilderForType().mergeFrom(toByteString()).build()

    private companion object {
        /** Each copies what it holds; those that are nested deeper are printed as bytes. */
        const val MAX_DEPTH = 4
        val ANY: String = Any.getDescriptor().fullName
        val BYTES: String = BytesValue.getDescriptor().fullName
    }
}
