package io.grpcstream.samples.gateway.http

import com.linecorp.armeria.common.HttpStatus
import com.linecorp.armeria.common.ResponseHeaders
import io.grpc.Metadata

/**
 * The response as gRPC-Web has it: its status of HTTP is always 200, its failure in the last frame.
 *
 * @param text whether it is all in Base64
 */
internal class GrpcWebAnswer(
    private val response: ResponseStream,
    private val text: Boolean,
) : Answer {
    private var begun = false

    override suspend fun begin(headers: Metadata) {
        begun = true
        response.write(
            ResponseHeaders
                .builder(HttpStatus.OK)
                .add(
                    "content-type",
                    if (text) "application/grpc-web-text+proto" else "application/grpc-web+proto",
                ).apply { addMetadata(headers) }
                .build(),
        )
    }

    override suspend fun message(message: ByteArray) = frame(GrpcWebFrames.message(message))

    override suspend fun end(ending: Ending) {
        if (!begun) begin(Metadata())
        frame(GrpcWebFrames.trailers(ending))
    }

    private suspend fun frame(frame: ByteArray) =
        response.write(if (text) GrpcWebFrames.encodeText(frame) else frame)
}
