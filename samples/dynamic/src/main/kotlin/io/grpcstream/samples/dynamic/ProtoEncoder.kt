package io.grpcstream.samples.dynamic

import com.google.protobuf.DescriptorProtos.DescriptorProto
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto
import com.google.protobuf.DescriptorProtos.FileDescriptorProto
import com.squareup.wire.schema.Extend
import com.squareup.wire.schema.MessageType
import com.squareup.wire.schema.Options
import com.squareup.wire.schema.ProtoFile
import com.squareup.wire.schema.Schema
import com.squareup.wire.schema.Type
import com.squareup.wire.schema.internal.SchemaEncoder

/**
 * Linked files as protobuf describes them, by Wire's encoder, and what that leaves out: names of fields
 * in JSON that are given (proto3), and extensions that are declared within messages.
 */
internal class ProtoEncoder(
    schema: Schema,
) {
    private val wire = SchemaEncoder(schema)

    fun encode(file: ProtoFile): FileDescriptorProto {
        val encoded = descriptor(file).toBuilder()
        complete(file, file.types, encoded.messageTypeBuilderList)
        return encoded.build()
    }

    private fun descriptor(file: ProtoFile): FileDescriptorProto =
        FileDescriptorProto.parseFrom(wire.encode(file).toByteArray(), StandardFiles.options)

    private fun complete(
        file: ProtoFile,
        types: List<Type>,
        encoded: List<DescriptorProto.Builder>,
    ) {
        for (message in encoded) {
            // None if it stands for a map's entries.
            val type = types.find { it.type.simpleName == message.name } ?: continue
            complete(file, type.nestedTypes, message.nestedTypeBuilderList)
            message.addAllExtension(extensions(file, type.nestedExtendList))
            if (type !is MessageType) continue
            val fields = message.fieldBuilderList.associateBy { it.number }
            for (field in type.fieldsAndOneOfFields) {
                if (field.isExtension) continue
                field.declaredJsonName?.let { fields.getValue(field.tag).setJsonName(it) }
            }
        }
    }

    /** As they would be described at the top of the file. */
    private fun extensions(
        file: ProtoFile,
        declared: List<Extend>,
    ): List<FieldDescriptorProto> {
        if (declared.isEmpty()) return emptyList()
        val alone =
            file.copy(
                types = emptyList(),
                services = emptyList(),
                extendList = declared,
                options = Options(Options.FILE_OPTIONS, emptyList()),
            )
        return descriptor(alone).extensionList
    }
}
