package io.grpcstream.samples.peercurl

import com.google.protobuf.DescriptorProtos.FieldOptions
import com.google.protobuf.Descriptors.Descriptor
import com.google.protobuf.Descriptors.EnumDescriptor
import com.google.protobuf.Descriptors.FieldDescriptor
import com.google.protobuf.Descriptors.GenericDescriptor
import com.google.protobuf.Descriptors.MethodDescriptor
import com.google.protobuf.Descriptors.ServiceDescriptor
import com.google.protobuf.DynamicMessage
import com.google.protobuf.ExtensionRegistry
import com.google.protobuf.Message
import com.google.protobuf.TextFormat
import io.grpcstream.samples.dynamic.Schema

/** Descriptors as a `.proto` file would have them, with the full names of types. */
internal class ProtoText(
    private val schema: Schema,
    private val style: Style,
) {
    private val text = StringBuilder()
    private var depth = 0

    fun of(symbol: GenericDescriptor): String {
        text
            .append(
                style.faint("// ${symbol.fullName}, in ${plainLine(symbol.file.name)}"),
            ).append('\n')
        when (symbol) {
            is ServiceDescriptor -> service(symbol)
            is MethodDescriptor -> method(symbol)
            is Descriptor -> message(symbol)
            is EnumDescriptor -> enumeration(symbol)
            is FieldDescriptor -> block("extend", symbol.containingType.fullName) { field(symbol) }
            else -> text.append(symbol.fullName)
        }
        return text.toString().trimEnd()
    }

    private fun line(content: String) {
        text.append("  ".repeat(depth)).append(content).append('\n')
    }

    private fun block(
        keyword: String,
        name: String,
        content: () -> Unit,
    ) {
        val before = text.length
        line("${style.keyword(keyword)} ${style.strong(name)} {")
        val begin = text.length
        depth++
        content()
        depth--
        if (text.length == begin) {
            text.setLength(before)
            line("${style.keyword(keyword)} ${style.strong(name)} {}")
        } else {
            line("}")
        }
    }

    private fun service(service: ServiceDescriptor) =
        block("service", service.name) {
            options(service.options)
            service.methods.forEach(::method)
        }

    private fun method(method: MethodDescriptor) {
        fun side(
            streaming: Boolean,
            type: Descriptor,
        ) = "(${if (streaming) style.keyword("stream") + " " else ""}${style.name(type.fullName)})"
        val signature =
            "${style.keyword("rpc")} ${style.strong(method.name)}" +
                "${side(method.isClientStreaming, method.inputType)} ${style.keyword("returns")} " +
                side(method.isServerStreaming, method.outputType)
        val options = optionsOf(method.options)
        if (options.isEmpty()) {
            line("$signature;")
        } else {
            line("$signature {")
            depth++
            options.forEach { line("${style.keyword("option")} $it;") }
            depth--
            line("}")
        }
    }

    private fun message(message: Descriptor): Unit =
        block("message", message.name) {
            options(message.options)
            val oneOfs = message.realOneofs.associateBy { it.fields.first() }
            for (field in message.fields) {
                val oneOf = field.realContainingOneof
                if (oneOf == null) field(field)
                oneOfs[field]?.let { block("oneof", it.name) { it.fields.forEach(::field) } }
            }
            message.nestedTypes.filterNot { it.options.mapEntry }.forEach(::message)
            message.enumTypes.forEach(::enumeration)
            message.extensions.forEach { block("extend", it.containingType.fullName) { field(it) } }
            val proto = message.toProto()
            val numbers = proto.reservedRangeList.map { range(it.start, it.end - 1, MAX_FIELD) }
            reserved(numbers, proto.reservedNameList)
            val extensions = proto.extensionRangeList.map { range(it.start, it.end - 1, MAX_FIELD) }
            if (extensions.isNotEmpty()) {
                line(
                    "${style.keyword("extensions")} ${extensions.joinToString()};",
                )
            }
        }

    private fun field(field: FieldDescriptor) {
        val label =
            when {
                field.isMapField -> ""

                field.isRepeated -> "repeated "

                field.isRequired -> "required "

                field.realContainingOneof != null -> ""

                field.toProto().proto3Optional || (
                    isProto2(
                        field,
                    ) && !field.isExtension
                ) -> "optional "

                else -> ""
            }
        val options = optionsOf(field.options).toMutableList()
        val proto = field.toProto()
        if (proto.hasDefaultValue()) {
            val quoted =
                field.javaType == FieldDescriptor.JavaType.STRING ||
                    field.javaType == FieldDescriptor.JavaType.BYTE_STRING
            val value =
                if (quoted) {
                    "\"${TextFormat.escapeDoubleQuotesAndBackslashes(
                        proto.defaultValue,
                    )}\""
                } else {
                    proto.defaultValue
                }
            options.add(0, "default = ${plainLine(value)}")
        }
        if (field.jsonName !=
            defaultJsonName(field.name)
        ) {
            options += "json_name = \"${plainLine(field.jsonName)}\""
        }
        val shown = if (options.isEmpty()) "" else " [${options.joinToString()}]"
        line("${style.keyword(label)}${typeOf(field)} ${field.name} = ${field.number}$shown;")
    }

    private fun isProto2(field: FieldDescriptor): Boolean =
        field.file.toProto().syntax.let {
            it.isEmpty() ||
                it == "proto2"
        }

    private fun typeOf(field: FieldDescriptor): String =
        when {
            field.isMapField -> {
                val (key, value) = field.messageType.fields
                "map<${typeOf(key)}, ${typeOf(value)}>"
            }

            field.javaType == FieldDescriptor.JavaType.MESSAGE -> {
                style.name(field.messageType.fullName)
            }

            field.javaType == FieldDescriptor.JavaType.ENUM -> {
                style.name(field.enumType.fullName)
            }

            else -> {
                field.type.name.lowercase()
            }
        }

    private fun enumeration(type: EnumDescriptor) =
        block("enum", type.name) {
            options(type.options)
            for (value in type.values) {
                val options = optionsOf(value.options)
                line(
                    "${value.name} = ${value.number}${if (options.isEmpty()) "" else " [${options.joinToString()}]"};",
                )
            }
            val proto = type.toProto()
            reserved(
                proto.reservedRangeList.map {
                    range(it.start, it.end, Int.MAX_VALUE)
                },
                proto.reservedNameList,
            )
        }

    private fun reserved(
        numbers: List<String>,
        names: List<String>,
    ) {
        if (numbers.isNotEmpty()) line("${style.keyword("reserved")} ${numbers.joinToString()};")
        if (names.isNotEmpty()) {
            line(
                "${style.keyword("reserved")} ${names.joinToString { "\"${plainLine(it)}\"" }};",
            )
        }
    }

    private fun range(
        first: Int,
        last: Int,
        max: Int,
    ): String =
        when {
            first == last -> "$first"
            last >= max -> "$first to max"
            else -> "$first to $last"
        }

    private fun options(options: Message) =
        optionsOf(options).forEach {
            line("${style.keyword("option")} $it;")
        }

    /** Those that are set, and those of a service's own that the schema knows. */
    private fun optionsOf(options: Message): List<String> {
        if (options.serializedSize == 0) return emptyList()
        val known =
            DynamicMessage.parseFrom(
                options.descriptorForType,
                options.toByteString(),
                schema.extensions as ExtensionRegistry,
            )
        return known.allFields.flatMap { (field, value) ->
            val name = if (field.isExtension) "(${field.fullName})" else field.name
            val values = if (field.isRepeated) value as List<*> else listOf(value)
            values.map { "$name = ${plainLine(valueOf(field, it!!))}" }
        }
    }

    private fun valueOf(
        field: FieldDescriptor,
        value: Any,
    ): String =
        if (value is Message) {
            "{ ${TextFormat.printer().emittingSingleLine(true).printToString(value).trim()} }"
        } else {
            StringBuilder()
                .also {
                    TextFormat.printer().printFieldValue(
                        field,
                        value,
                        it,
                    )
                }.toString()
        }

    private companion object {
        const val MAX_FIELD = 536_870_911

        /** As protoc makes it of a field's name. */
        fun defaultJsonName(name: String): String =
            buildString {
                var upper = false
                for (c in name) {
                    if (c == '_') {
                        upper = true
                    } else {
                        append(if (upper) c.uppercaseChar() else c)
                        upper = false
                    }
                }
            }
    }
}
