package io.grpcstream.samples.dynamic

import com.google.protobuf.Descriptors.Descriptor
import com.google.protobuf.Descriptors.FieldDescriptor
import com.google.protobuf.Descriptors.FileDescriptor
import com.google.protobuf.DynamicMessage
import com.google.protobuf.ExtensionRegistry
import com.google.protobuf.Message
import com.google.protobuf.TextFormat
import com.squareup.wire.schema.internal.parser.OptionElement
import com.squareup.wire.schema.internal.parser.OptionElement.Kind

/** Gives the options of a `.proto` file to the message that holds them. */
internal interface ProtoOptions {
    /**
     * @param scope the full name of what the options are of, for names that are relative to it
     * @throws SchemaException if one of them makes no sense
     */
    fun addTo(
        builder: Message.Builder,
        options: List<OptionElement>,
        scope: String,
    )
}

/** Those that protobuf itself defines; others are left out. */
internal object StandardOptions : ProtoOptions {
    override fun addTo(
        builder: Message.Builder,
        options: List<OptionElement>,
        scope: String,
    ) = OptionText(ExtensionRegistry.getEmptyRegistry()) { it }
        .merge(builder, options.filterNot { it.isParenthesized }, scope)
}

/** Those too that [file] defines, or what it imports. */
internal class DefinedOptions(
    file: FileDescriptor,
) : ProtoOptions {
    private val extensions = HashMap<String, FieldDescriptor>()
    private val registry = ExtensionRegistry.newInstance()

    init {
        val seen = HashSet<FileDescriptor>()
        val left = ArrayDeque(listOf(file))
        while (left.isNotEmpty()) {
            val next = left.removeFirst()
            if (seen.add(next)) {
                next.extensions.forEach(::add)
                next.messageTypes.forEach(::addNested)
                left += next.dependencies
            }
        }
    }

    private fun addNested(message: Descriptor) {
        message.extensions.forEach(::add)
        message.nestedTypes.forEach(::addNested)
    }

    private fun add(extension: FieldDescriptor) {
        extensions[extension.fullName] = extension
        if (extension.javaType == FieldDescriptor.JavaType.MESSAGE) {
            registry.add(extension, DynamicMessage.getDefaultInstance(extension.messageType))
        } else {
            registry.add(extension)
        }
    }

    override fun addTo(
        builder: Message.Builder,
        options: List<OptionElement>,
        scope: String,
    ) = OptionText(registry) { resolve(it, scope) }.merge(builder, options, scope)

    /** The full name of an extension, which may be given relative to any of the scopes around it. */
    private fun resolve(
        name: String,
        scope: String,
    ): String {
        if (name.startsWith('.')) return name.substring(1)
        var around = scope
        while (around.isNotEmpty()) {
            val candidate = "$around.$name"
            if (candidate in extensions) return candidate
            around = around.substringBeforeLast('.', "")
        }
        return name
    }
}

/** Options in protobuf's text format, which its own parser reads. */
private class OptionText(
    private val registry: ExtensionRegistry,
    private val resolve: (String) -> String,
) {
    private val parser = TextFormat.Parser.newBuilder().build()

    fun merge(
        builder: Message.Builder,
        options: List<OptionElement>,
        scope: String,
    ) {
        // One by one: options of several parts, such as (x).a and (x).b, may set the same message twice.
        for (option in options) {
            val text = StringBuilder()
            text.option(option)
            try {
                parser.merge(text, registry, builder)
            } catch (e: TextFormat.ParseException) {
                throw SchemaException("option ${option.name} of $scope: ${e.message}", e)
            }
        }
    }

    private fun StringBuilder.option(option: OptionElement) {
        append(if (option.isParenthesized) "[${resolve(option.name)}]" else option.name)
        value(option.kind, option.value)
    }

    private fun StringBuilder.value(
        kind: Kind,
        value: Any,
    ) {
        when (kind) {
            Kind.STRING -> {
                append(": ").string(value.toString())
            }

            Kind.OPTION -> {
                append(" { ")
                option(value as OptionElement)
                append(" } ")
            }

            Kind.MAP -> {
                map(value as Map<*, *>)
            }

            Kind.LIST -> {
                list(value as List<*>)
            }

            Kind.BOOLEAN, Kind.NUMBER, Kind.ENUM -> {
                append(": ").append(value).append(' ')
            }
        }
    }

    private fun StringBuilder.map(map: Map<*, *>) {
        append(" { ")
        for ((name, value) in map) {
            val key = name.toString()
            append(if (key.startsWith('[')) "[${resolve(key.trim('[', ']'))}]" else key)
            any(value)
        }
        append(" } ")
    }

    private fun StringBuilder.list(list: List<*>) {
        append(": [ ")
        list.forEachIndexed { index, value ->
            if (index > 0) append(", ")
            // Within a list there is no colon before a value.
            append(
                StringBuilder()
                    .apply { any(value) }
                    .toString()
                    .trim()
                    .removePrefix(":"),
            )
        }
        append(" ] ")
    }

    private fun StringBuilder.any(value: Any?) {
        when (value) {
            is Map<*, *> -> {
                map(value)
            }

            is List<*> -> {
                list(value)
            }

            is OptionElement.OptionPrimitive -> {
                value(value.kind, value.value)
            }

            is OptionElement -> {
                append(" { ")
                option(value)
                append(" } ")
            }

            else -> {
                append(": ").string(value.toString())
            }
        }
    }

    private fun StringBuilder.string(text: String) {
        append(
            '"',
        ).append(
            TextFormat.escapeDoubleQuotesAndBackslashes(text).replace("\n", "\\n"),
        ).append("\" ")
    }
}
