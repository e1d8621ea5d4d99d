package io.grpcstream.samples.dynamic

import com.google.protobuf.Descriptors.FieldDescriptor.JavaType
import com.google.protobuf.Message

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
