package io.grpcstream.samples.gateway.peers

import com.google.protobuf.BytesValue
import com.google.protobuf.Descriptors.MethodDescriptor
import com.google.protobuf.Descriptors.ServiceDescriptor
import com.google.protobuf.util.JsonFormat
import com.google.rpc.ErrorDetailsProto
import io.grpcstream.samples.gateway.rest.HttpRoutes
import io.grpcstream.samples.gateway.rest.MessageJson

/** What a peer has told of its services: all that JSON needs to become calls. Never changes. */
internal class PeerServices(
    services: Collection<ServiceDescriptor>,
) {
    /** By full name. */
    val services: Map<String, ServiceDescriptor> =
        services
            .associateBy { it.fullName }
            .toSortedMap()

    /** The ways in by `google.api.http`. */
    val routes = HttpRoutes(this.services.values)

    /** Its messages, and the details of errors that anyone may use. */
    val json = MessageJson(types())

    /** Null if there is no such method. */
    fun method(
        service: String,
        method: String,
    ): MethodDescriptor? = services[service]?.findMethodByName(method)

    private fun types(): JsonFormat.TypeRegistry {
        val types = JsonFormat.TypeRegistry.newBuilder()
        types.add(BytesValue.getDescriptor()) // As which an Any is shown that nobody knows.
        types.add(ErrorDetailsProto.getDescriptor().messageTypes)
        for (method in services.values.flatMap { it.methods }) {
            types.add(method.inputType)
            types.add(method.outputType)
        }
        return types.build()
    }
}
