package io.grpcstream.samples.dynamic

import com.google.protobuf.InvalidProtocolBufferException
import com.google.rpc.Status
import io.grpc.Metadata

/**
 * What a status says beyond its code and message: the `google.rpc.Status` in the trailer
 * `grpc-status-details-bin`, whose details are messages of google.rpc, such as BadRequest, or of a
 * service's own.
 */
object ErrorDetails {
    private val KEY: Metadata.Key<ByteArray> =
        Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER)

    /** The rich status in [trailers]; null if there is none, or if it is none. */
    fun of(trailers: Metadata?): Status? {
        val bytes = trailers?.get(KEY) ?: return null
        return try {
            Status.parseFrom(bytes)
        } catch (e: InvalidProtocolBufferException) {
            null
        }
    }

    /** The details, each as JSON with an `@type`; empty if there are none. */
    fun json(
        trailers: Metadata?,
        messages: JsonMessages,
    ): List<String> = of(trailers)?.detailsList.orEmpty().map(messages::print)
}
