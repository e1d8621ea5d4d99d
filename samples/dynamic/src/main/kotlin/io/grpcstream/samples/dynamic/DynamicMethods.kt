package io.grpcstream.samples.dynamic

import com.google.protobuf.DescriptorProtos.MethodOptions.IdempotencyLevel
import com.google.protobuf.Descriptors
import com.google.protobuf.DynamicMessage
import com.google.protobuf.ExtensionRegistry
import io.grpc.MethodDescriptor
import io.grpc.MethodDescriptor.MethodType
import io.grpc.protobuf.ProtoMethodDescriptorSupplier
import io.grpc.protobuf.ProtoUtils

/** Which of the four kinds of calls this method's are. */
val Descriptors.MethodDescriptor.kind: MethodType
    get() =
        when {
            isClientStreaming && isServerStreaming -> MethodType.BIDI_STREAMING
            isClientStreaming -> MethodType.CLIENT_STREAMING
            isServerStreaming -> MethodType.SERVER_STREAMING
            else -> MethodType.UNARY
        }

/**
 * This method, as channels call it and servers serve it: whose messages are dynamic ones. gRPC's
 * reflection, where it is served so, finds its descriptor.
 *
 * @param extensions those that messages may have; see [Schema.extensions]
 */
fun Descriptors.MethodDescriptor.toGrpc(
    extensions: ExtensionRegistry = ExtensionRegistry.getEmptyRegistry(),
): MethodDescriptor<DynamicMessage, DynamicMessage> {
    val idempotency = options.idempotencyLevel
    return MethodDescriptor
        .newBuilder(marshaller(inputType, extensions), marshaller(outputType, extensions))
        .setType(kind)
        .setFullMethodName(MethodDescriptor.generateFullMethodName(service.fullName, name))
        .setSafe(idempotency == IdempotencyLevel.NO_SIDE_EFFECTS && kind == MethodType.UNARY)
        .setIdempotent(idempotency != IdempotencyLevel.IDEMPOTENCY_UNKNOWN)
        .setSchemaDescriptor(DynamicMethod(this))
        .build()
}

private fun marshaller(
    type: Descriptors.Descriptor,
    extensions: ExtensionRegistry,
): MethodDescriptor.Marshaller<DynamicMessage> {
    val empty = DynamicMessage.getDefaultInstance(type)
    return if (extensions === ExtensionRegistry.getEmptyRegistry()) {
        ProtoUtils.marshaller(empty)
    } else {
        ExtendedMarshaller(empty, extensions)
    }
}

/** gRPC's own marshallers know the extensions of a whole process only. */
private class ExtendedMarshaller(
    private val empty: DynamicMessage,
    private val extensions: ExtensionRegistry,
) : MethodDescriptor.PrototypeMarshaller<DynamicMessage> {
    private val delegate = ProtoUtils.marshaller(empty)

    override fun stream(value: DynamicMessage): java.io.InputStream = delegate.stream(value)

    override fun parse(stream: java.io.InputStream): DynamicMessage =
        try {
            empty.parserForType.parseFrom(stream, extensions)
        } catch (e: com.google.protobuf.InvalidProtocolBufferException) {
            throw io.grpc.Status.INTERNAL
                .withDescription(
                    "Invalid protobuf byte sequence of a ${empty.descriptorForType.fullName}: ${e.message}",
                ).withCause(e)
                .asRuntimeException()
        }

    override fun getMessagePrototype(): DynamicMessage = empty

    override fun getMessageClass(): Class<DynamicMessage> = DynamicMessage::class.java
}

private class DynamicMethod(
    private val method: Descriptors.MethodDescriptor,
) : ProtoMethodDescriptorSupplier {
    override fun getMethodDescriptor(): Descriptors.MethodDescriptor = method

    override fun getServiceDescriptor(): Descriptors.ServiceDescriptor = method.service

    override fun getFileDescriptor(): Descriptors.FileDescriptor = method.file
}
