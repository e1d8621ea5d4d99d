package io.grpcstream.samples.peercurl

import com.google.gson.JsonObject
import com.google.protobuf.Descriptors.MethodDescriptor
import io.grpcstream.samples.dynamic.Schema
import io.grpcstream.samples.dynamic.kind
import picocli.CommandLine.Command
import picocli.CommandLine.Parameters

/** The services of a peer, or the methods of one of them. */
@Command(
    name = "list",
    header = ["List a peer's services, or the methods of one."],
)
internal class ListCommand : SchemaCommand() {
    @Parameters(
        index = "1",
        arity = "0..1",
        paramLabel = "SERVICE",
        description = ["Such as pkg.Service."],
    )
    var service: String? = null

    override fun show(schema: Schema) {
        val name = service
        if (name != null) {
            schema.service(name).methods.forEach(::show)
            return
        }
        val names = (schema.services.map { it.fullName } + schema.unusable.keys).sorted()
        for (each in names) {
            val why = schema.unusable[each]
            if (console.json) {
                val line = JsonObject()
                line.addProperty("service", each)
                why?.let { line.addProperty("unusable", it) }
                console.println(line.toString())
            } else {
                console.println(console.style.name(plainLine(each)))
                why?.let {
                    console.note(
                        "${console.errStyle.bad(plainLine(each))} cannot be used: ${plain(it)}",
                    )
                }
            }
        }
        if (names.isEmpty()) console.verbose { "there are no services" }
    }

    private fun show(method: MethodDescriptor) {
        val path = "${method.service.fullName}/${method.name}"
        if (console.json) {
            val line = JsonObject()
            line.addProperty("method", path)
            line.addProperty("kind", method.kind.name)
            line.addProperty("request", method.inputType.fullName)
            line.addProperty("response", method.outputType.fullName)
            console.println(line.toString())
        } else {
            console.println(console.style.name(path))
        }
    }
}
