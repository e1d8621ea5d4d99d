package io.grpcstream.samples.gateway.page

import com.fasterxml.jackson.databind.node.ObjectNode
import com.google.protobuf.Descriptors.Descriptor
import com.google.protobuf.Descriptors.EnumDescriptor
import com.google.protobuf.Descriptors.FieldDescriptor
import com.google.protobuf.Descriptors.FieldDescriptor.JavaType
import com.google.protobuf.Descriptors.MethodDescriptor
import io.grpcstream.samples.gateway.peers.PeerServices
import io.grpcstream.samples.gateway.rest.HttpRoute
import io.grpcstream.samples.gateway.rest.JSON

/** The services of a peer as the page makes forms of them: methods, and the types of their requests. */
internal fun PeerServices.describe(): ObjectNode {
    val root = JSON.createObjectNode()
    val types = LinkedHashMap<String, Descriptor>()
    val enums = LinkedHashMap<String, EnumDescriptor>()
    val list = root.putArray("services")
    val routes = routes.all.groupBy { it.method }
    for (service in services.values) {
        val node = list.addObject().put("name", service.fullName)
        val methods = node.putArray("methods")
        for (method in service.methods) {
            methods.add(describe(method, routes[method].orEmpty()))
            collect(method.inputType, types, enums)
        }
    }
    val typesNode = root.putObject("types")
    types.forEach { (name, type) -> typesNode.set<ObjectNode>(name, describe(type)) }
    val enumsNode = root.putObject("enums")
    enums.forEach { (name, type) ->
        enumsNode.putArray(name).also { values ->
            type.values.forEach { values.add(it.name) }
        }
    }
    return root
}

private fun describe(
    method: MethodDescriptor,
    routes: List<HttpRoute>,
): ObjectNode {
    val node = JSON.createObjectNode()
    node.put("name", method.name)
    node.put("input", method.inputType.fullName)
    node.put("output", method.outputType.fullName)
    node.put("clientStreaming", method.isClientStreaming)
    node.put("serverStreaming", method.isServerStreaming)
    node.put("deprecated", method.options.deprecated)
    val http = node.putArray("http")
    routes.forEach { http.add("${it.verb} ${it.template}") }
    return node
}

private fun collect(
    root: Descriptor,
    types: MutableMap<String, Descriptor>,
    enums: MutableMap<String, EnumDescriptor>,
) {
    val next = ArrayDeque(listOf(root))
    while (next.isNotEmpty()) {
        val type = next.removeFirst()
        if (types.putIfAbsent(type.fullName, type) != null) continue
        for (field in type.fields) {
            if (field.javaType == JavaType.MESSAGE) next += field.messageType
            if (field.javaType ==
                JavaType.ENUM
            ) {
                enums.putIfAbsent(field.enumType.fullName, field.enumType)
            }
        }
    }
}

private fun describe(type: Descriptor): ObjectNode {
    val node = JSON.createObjectNode()
    val fields = node.putArray("fields")
    type.fields.forEach { fields.add(describe(it)) }
    return node
}

private fun describe(field: FieldDescriptor): ObjectNode {
    val node = JSON.createObjectNode()
    node.put("name", field.jsonName)
    node.put("label", field.name)
    field.realContainingOneof?.let { node.put("oneof", it.name) }
    if (field.options.deprecated) node.put("deprecated", true)
    if (field.isMapField) {
        node.put("repeated", "map")
        node.put("key", kind(field.messageType.findFieldByNumber(1)))
        node.putKind(field.messageType.findFieldByNumber(2))
    } else {
        if (field.isRepeated) node.put("repeated", "list")
        node.put("presence", field.hasPresence())
        node.putKind(field)
    }
    return node
}

private fun ObjectNode.putKind(field: FieldDescriptor) {
    put("kind", kind(field))
    if (field.javaType == JavaType.MESSAGE) put("type", field.messageType.fullName)
    if (field.javaType == JavaType.ENUM) put("type", field.enumType.fullName)
}

private fun kind(field: FieldDescriptor): String =
    if (field.javaType ==
        JavaType.MESSAGE
    ) {
        "message"
    } else {
        field.type.name.lowercase()
    }
