package io.grpcstream.samples.peercurl

import com.google.protobuf.Descriptors.Descriptor
import com.google.protobuf.Descriptors.FieldDescriptor.JavaType
import com.google.protobuf.DynamicMessage

/** Messages whose parts are all there, to show what there is to fill in. */
internal object Templates {
    private const val DEPTH = 8

    /** One of each repeated field, none of maps; the first field of a oneof; no message within itself. */
    fun of(type: Descriptor): DynamicMessage = of(type, emptySet())

    private fun of(
        type: Descriptor,
        around: Set<Descriptor>,
    ): DynamicMessage {
        val builder = DynamicMessage.newBuilder(type)
        for (field in type.fields) {
            val oneOf = field.realContainingOneof
            if (oneOf != null && oneOf.fields.first() != field) continue
            if (field.javaType != JavaType.MESSAGE || field.isMapField) continue
            val inner = field.messageType
            if (inner in around + type || around.size > DEPTH ||
                inner.file.`package` == "google.protobuf"
            ) {
                continue
            }
            val message = of(inner, around + type)
            if (field.isRepeated) {
                builder.addRepeatedField(
                    field,
                    message,
                )
            } else {
                builder.setField(field, message)
            }
        }
        return builder.buildPartial()
    }
}
