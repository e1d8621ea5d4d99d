package io.grpcstream.samples.dynamic

import com.google.protobuf.DescriptorProtos.DescriptorProto
import com.google.protobuf.DescriptorProtos.EnumDescriptorProto
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto.Label
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto.Type
import com.google.protobuf.DescriptorProtos.FileDescriptorProto
import com.google.protobuf.DescriptorProtos.ServiceDescriptorProto
import com.squareup.wire.Syntax
import com.squareup.wire.schema.Field
import com.squareup.wire.schema.internal.parser.EnumElement
import com.squareup.wire.schema.internal.parser.ExtendElement
import com.squareup.wire.schema.internal.parser.FieldElement
import com.squareup.wire.schema.internal.parser.GroupElement
import com.squareup.wire.schema.internal.parser.MessageElement
import com.squareup.wire.schema.internal.parser.ProtoFileElement
import com.squareup.wire.schema.internal.parser.RpcElement
import com.squareup.wire.schema.internal.parser.ServiceElement
import com.squareup.wire.schema.internal.parser.TypeElement

/**
 * A parsed `.proto` file as protobuf's own description of one. Names of types stay as they are written:
 * protobuf looks them up in the scopes around them, and sees whether they are messages or enums.
 */
internal class ProtoFileConverter(
    private val source: ProtoFileElement,
    private val options: ProtoOptions,
) {
    private val proto3 = source.syntax == Syntax.PROTO_3

    fun convert(): FileDescriptorProto {
        val scope = source.packageName.orEmpty()
        val file = FileDescriptorProto.newBuilder().setName(source.location.path)
        source.packageName?.let(file::setPackage)
        if (proto3) file.setSyntax("proto3")
        source.imports.forEach(file::addDependency)
        for (import in source.publicImports) {
            file.addPublicDependency(file.dependencyCount).addDependency(import)
        }
        for (import in source.weakImports) {
            file.addWeakDependency(file.dependencyCount).addDependency(import)
        }
        source.types.filterIsInstance<MessageElement>().forEach {
            file.addMessageType(
                message(it, scope),
            )
        }
        source.types.filterIsInstance<EnumElement>().forEach {
            file.addEnumType(
                enumeration(it, scope),
            )
        }
        extensions(source.extendDeclarations, scope).forEach(file::addExtension)
        source.services.forEach { file.addService(service(it, scope)) }
        options.addTo(file.optionsBuilder, source.options, scope)
        return file.build()
    }

    private fun within(
        scope: String,
        name: String,
    ): String = if (scope.isEmpty()) name else "$scope.$name"

    private fun message(
        source: MessageElement,
        around: String,
    ): DescriptorProto {
        val scope = within(around, source.name)
        val message = DescriptorProto.newBuilder().setName(source.name)
        source.fields.forEach { field(message, it, scope) }
        source.groups.forEach { group(message, it, scope) }
        for (oneOf in source.oneOfs) {
            val index = message.oneofDeclCount
            val declared = message.addOneofDeclBuilder().setName(oneOf.name)
            options.addTo(declared.optionsBuilder, oneOf.options, scope)
            oneOf.fields.forEach { field(message, it, scope)!!.setOneofIndex(index) }
            oneOf.groups.forEach { group(message, it, scope).setOneofIndex(index) }
        }
        // After the real ones, as protobuf demands.
        for (field in message.fieldBuilderList) {
            if (field.proto3Optional) {
                field.setOneofIndex(message.oneofDeclCount)
                message.addOneofDeclBuilder().setName("_${field.name}")
            }
        }
        nested(message, source.nestedTypes, scope)
        extensions(source.extendDeclarations, scope).forEach(message::addExtension)
        for (range in source.extensions.flatMap { it.values }) {
            val (first, last) = bounds(range)
            message.addExtensionRangeBuilder().setStart(first).setEnd(last + 1)
        }
        for (reserved in source.reserveds.flatMap { it.values }) {
            if (reserved is String) {
                message.addReservedName(reserved)
            } else {
                val (first, last) = bounds(reserved)
                message.addReservedRangeBuilder().setStart(first).setEnd(last + 1)
            }
        }
        options.addTo(message.optionsBuilder, source.options, scope)
        return message.build()
    }

    private fun nested(
        message: DescriptorProto.Builder,
        types: List<TypeElement>,
        scope: String,
    ) {
        types.filterIsInstance<MessageElement>().forEach {
            message.addNestedType(
                message(it, scope),
            )
        }
        types.filterIsInstance<EnumElement>().forEach {
            message.addEnumType(
                enumeration(it, scope),
            )
        }
    }

    private fun bounds(range: Any): Pair<Int, Int> =
        when (range) {
            is IntRange -> range.first to range.last
            is Int -> range to range
            else -> throw SchemaException("${source.location.path}: $range is no range of numbers")
        }

    private fun field(
        message: DescriptorProto.Builder,
        source: FieldElement,
        scope: String,
    ): FieldDescriptorProto.Builder? {
        val field = message.addFieldBuilder()
        val map = MAP.matchEntire(source.type)
        if (map == null) {
            field(field, source, scope)
        } else {
            // A map is, on the wire, repeated messages of a key and a value.
            val (key, value) = map.destructured
            val entry = message.addNestedTypeBuilder().setName(entryName(source.name))
            entry.optionsBuilder.setMapEntry(true)
            typed(
                entry
                    .addFieldBuilder()
                    .setName("key")
                    .setNumber(1)
                    .setLabel(Label.LABEL_OPTIONAL),
                key,
            )
            typed(
                entry
                    .addFieldBuilder()
                    .setName(
                        "value",
                    ).setNumber(2)
                    .setLabel(Label.LABEL_OPTIONAL),
                value,
            )
            field(field, source, scope)
            field.setLabel(Label.LABEL_REPEATED).setType(Type.TYPE_MESSAGE).setTypeName(entry.name)
        }
        return field
    }

    private fun field(
        field: FieldDescriptorProto.Builder,
        source: FieldElement,
        scope: String,
    ) {
        field.setName(source.name).setNumber(source.tag).setLabel(labelOf(source.label))
        typed(field, source.type)
        source.defaultValue?.let(field::setDefaultValue)
        source.jsonName?.let(field::setJsonName)
        if (proto3 && source.label == Field.Label.OPTIONAL) field.setProto3Optional(true)
        val options = source.options.filterNot { !it.isParenthesized && it.name in NO_OPTIONS }
        this.options.addTo(field.optionsBuilder, options, within(scope, source.name))
    }

    private fun typed(
        field: FieldDescriptorProto.Builder,
        type: String,
    ) {
        val scalar = SCALARS[type]
        if (scalar != null) field.setType(scalar) else field.setTypeName(type)
    }

    private fun group(
        message: DescriptorProto.Builder,
        source: GroupElement,
        scope: String,
    ): FieldDescriptorProto.Builder {
        val type = message.addNestedTypeBuilder().setName(source.name)
        source.fields.forEach { field(type, it, within(scope, source.name)) }
        return message
            .addFieldBuilder()
            .setName(source.name.lowercase())
            .setNumber(source.tag)
            .setLabel(labelOf(source.label))
            .setType(Type.TYPE_GROUP)
            .setTypeName(source.name)
    }

    private fun labelOf(label: Field.Label?): Label =
        when (label) {
            Field.Label.REPEATED -> Label.LABEL_REPEATED
            Field.Label.REQUIRED -> Label.LABEL_REQUIRED
            else -> Label.LABEL_OPTIONAL
        }

    private fun extensions(
        declarations: List<ExtendElement>,
        scope: String,
    ): List<FieldDescriptorProto> =
        declarations.flatMap { declaration ->
            declaration.fields.map { source ->
                FieldDescriptorProto
                    .newBuilder()
                    .also { field(it, source, scope) }
                    .setExtendee(declaration.name)
                    .build()
            }
        }

    private fun enumeration(
        source: EnumElement,
        around: String,
    ): EnumDescriptorProto {
        val scope = within(around, source.name)
        val type = EnumDescriptorProto.newBuilder().setName(source.name)
        for (constant in source.constants) {
            val value = type.addValueBuilder().setName(constant.name).setNumber(constant.tag)
            options.addTo(value.optionsBuilder, constant.options, scope)
        }
        for (reserved in source.reserveds.flatMap { it.values }) {
            if (reserved is String) {
                type.addReservedName(reserved)
            } else {
                val (first, last) = bounds(reserved)
                type.addReservedRangeBuilder().setStart(first).setEnd(last) // Both inclusive, here.
            }
        }
        options.addTo(type.optionsBuilder, source.options, scope)
        return type.build()
    }

    private fun service(
        source: ServiceElement,
        around: String,
    ): ServiceDescriptorProto {
        val scope = within(around, source.name)
        val service = ServiceDescriptorProto.newBuilder().setName(source.name)
        source.rpcs.forEach { method(service, it, scope) }
        options.addTo(service.optionsBuilder, source.options, scope)
        return service.build()
    }

    private fun method(
        service: ServiceDescriptorProto.Builder,
        source: RpcElement,
        scope: String,
    ) {
        val method =
            service
                .addMethodBuilder()
                .setName(source.name)
                .setInputType(source.requestType)
                .setOutputType(source.responseType)
        if (source.requestStreaming) method.setClientStreaming(true)
        if (source.responseStreaming) method.setServerStreaming(true)
        options.addTo(method.optionsBuilder, source.options, within(scope, source.name))
    }

    private companion object {
        val MAP = Regex("""map\s*<\s*([^,\s]+)\s*,\s*([^>\s]+)\s*>""")

        /** Written as options, and fields of their own in descriptors. */
        val NO_OPTIONS = setOf("default", "json_name")

        val SCALARS =
            mapOf(
                "double" to Type.TYPE_DOUBLE,
                "float" to Type.TYPE_FLOAT,
                "int32" to Type.TYPE_INT32,
                "int64" to Type.TYPE_INT64,
                "uint32" to Type.TYPE_UINT32,
                "uint64" to Type.TYPE_UINT64,
                "sint32" to Type.TYPE_SINT32,
                "sint64" to Type.TYPE_SINT64,
                "fixed32" to Type.TYPE_FIXED32,
                "fixed64" to Type.TYPE_FIXED64,
                "sfixed32" to Type.TYPE_SFIXED32,
                "sfixed64" to Type.TYPE_SFIXED64,
                "bool" to Type.TYPE_BOOL,
                "string" to Type.TYPE_STRING,
                "bytes" to Type.TYPE_BYTES,
            )

        /** As protoc names it. */
        fun entryName(field: String): String =
            field.split('_').joinToString("") { it.replaceFirstChar(Char::uppercaseChar) } + "Entry"
    }
}
