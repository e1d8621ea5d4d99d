package io.grpcstream.samples.peercurl

import com.google.gson.JsonParser
import com.google.protobuf.Descriptors.Descriptor
import com.google.protobuf.Descriptors.EnumDescriptor
import com.google.protobuf.Descriptors.FieldDescriptor
import com.google.protobuf.Descriptors.GenericDescriptor
import com.google.protobuf.Descriptors.MethodDescriptor
import com.google.protobuf.Descriptors.ServiceDescriptor
import io.grpcstream.samples.dynamic.JsonMessages
import io.grpcstream.samples.dynamic.Schema
import picocli.CommandLine.Command
import picocli.CommandLine.Option
import picocli.CommandLine.Parameters

/** What a service, a method, a message or an enum is, as a `.proto` file has it. */
@Command(
    name = "describe",
    header = ["Show what a service, method, message or enum is."],
    description = ["As a .proto file has it; all services, if none is named."],
)
internal class DescribeCommand : SchemaCommand() {
    @Parameters(
        index = "1",
        arity = "0..1",
        paramLabel = "SYMBOL",
        description = ["Such as pkg.Service, pkg.Service/Method, pkg.Message or pkg.Enum."],
    )
    var symbol: String? = null

    @Option(
        names = ["--template"],
        description = ["For a message: an empty request in JSON, to be filled in."],
    )
    var template: Boolean = false

    override fun show(schema: Schema) {
        val found = symbol?.let { listOf(schema.find(it)) } ?: schema.services
        found.forEachIndexed { index, each ->
            when {
                template -> {
                    console.println(template(each, schema))
                }

                console.json -> {
                    console.println(json(each, schema))
                }

                else -> {
                    if (index > 0) console.println("")
                    console.println(ProtoText(schema, console.style).of(each))
                }
            }
        }
    }

    private fun template(
        symbol: GenericDescriptor,
        schema: Schema,
    ): String {
        val message =
            when (symbol) {
                is Descriptor -> symbol

                is MethodDescriptor -> symbol.inputType

                else -> throw Failure.usage(
                    "--template: ${symbol.fullName} is neither a message nor a method",
                )
            }
        val json = Templates.of(message)
        return if (console.json) {
            JsonMessages(
                schema,
            ).compact().print(json)
        } else {
            JsonMessages(schema, defaults = true).print(json)
        }
    }

    /** protobuf's own description of it, as JSON. */
    private fun json(
        symbol: GenericDescriptor,
        schema: Schema,
    ): String {
        val kind =
            when (symbol) {
                is ServiceDescriptor -> "service"
                is MethodDescriptor -> "method"
                is Descriptor -> "message"
                is EnumDescriptor -> "enum"
                is FieldDescriptor -> "extension"
                else -> "symbol"
            }
        val all = com.google.gson.JsonObject()
        all.addProperty("kind", kind)
        all.addProperty("name", symbol.fullName)
        all.addProperty("file", symbol.file.name)
        val descriptor = JsonMessages(schema).compact().print(symbol.toProto())
        all.add("descriptor", JsonParser.parseString(descriptor))
        return all.toString()
    }
}
