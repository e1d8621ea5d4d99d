package io.grpcstream.samples.gateway.rest

import com.fasterxml.jackson.databind.JsonNode
import com.google.protobuf.Descriptors.Descriptor
import com.google.protobuf.DynamicMessage
import com.google.protobuf.InvalidProtocolBufferException
import com.google.protobuf.util.JsonFormat
import io.grpcstream.samples.dynamic.JsonMessages
import java.util.Base64
import com.google.protobuf.Any as ProtoAny

/**
 * The messages of a peer as JSON, and back, in protobuf's mapping. Fields that are not set are shown
 * where they have no presence, as clients of REST expect it.
 *
 * @param types those that an `Any` may hold
 */
internal class MessageJson(
    private val types: JsonFormat.TypeRegistry,
) {
    private val messages = JsonMessages(types, defaults = true, indent = "")

    /** Reads what people write. */
    val parser: JsonFormat.Parser = JsonFormat.parser().usingTypeRegistry(types)

    /** @throws IllegalArgumentException if [text] is no [type] */
    fun parse(
        type: Descriptor,
        text: String,
    ): DynamicMessage {
        val message = DynamicMessage.newBuilder(type)
        try {
            if (text.isNotBlank()) parser.merge(text, message)
        } catch (e: InvalidProtocolBufferException) {
            throw IllegalArgumentException("the JSON is no ${type.fullName}: ${e.message}", e)
        }
        return message.build()
    }

    /**
     * Whatever a peer has put into it, such as Anys within Anys without end: see [JsonMessages.print].
     *
     * @throws InvalidProtocolBufferException if the peer sent what is no [type]
     */
    fun print(
        type: Descriptor,
        bytes: ByteArray,
    ): String = messages.print(DynamicMessage.parseFrom(type, bytes))

    /** [message] as JSON; of one whose type nobody knows, the bytes in Base64. */
    fun detail(message: ProtoAny): JsonNode =
        if (isKnown(message)) {
            oneValue(messages.print(message))
        } else {
            JSON.createObjectNode().apply {
                put("@type", message.typeUrl)
                put("value", Base64.getEncoder().encodeToString(message.value.toByteArray()))
            }
        }

    private fun isKnown(message: ProtoAny): Boolean =
        '/' in message.typeUrl && types.find(message.typeUrl.substringAfterLast('/')) != null
}
