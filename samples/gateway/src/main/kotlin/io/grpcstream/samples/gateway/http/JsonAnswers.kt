package io.grpcstream.samples.gateway.http

import com.fasterxml.jackson.databind.node.ObjectNode
import com.google.protobuf.InvalidProtocolBufferException
import com.linecorp.armeria.common.HttpStatus
import com.linecorp.armeria.common.ResponseHeaders
import com.linecorp.armeria.common.ResponseHeadersBuilder
import io.grpc.Metadata
import io.grpc.StatusException
import io.grpc.protobuf.StatusProto
import io.grpcstream.samples.gateway.rest.JSON
import io.grpcstream.samples.gateway.rest.MessageJson

/** The prefix of trailers that travel as headers, since the response is written after them. */
private const val TRAILER_PREFIX = "grpc-trailer-"

/** A status as JSON: what `google.rpc.Status` is in it, and the name of its code. */
internal fun Ending.toJson(json: MessageJson?): ObjectNode {
    val node = JSON.createObjectNode()
    node.put("code", status.code.value())
    node.put("status", status.code.name)
    node.put("message", status.description.orEmpty())
    val details = node.putArray("details")
    if (json != null) {
        // What the peer sent as details may be garbage: then there are none.
        val rich = runCatching { StatusProto.fromStatusAndTrailers(status, trailers) }.getOrNull()
        rich?.detailsList?.forEach { details.add(json.detail(it)) }
    }
    return node
}

/** Answers with the status of HTTP and JSON for a call, or what was to be one, that has failed. */
internal suspend fun ResponseStream.writeFailure(
    ending: Ending,
    json: MessageJson?,
    headers: Metadata = Metadata(),
) {
    val head = head(ending.http, "application/json")
    head.addMetadata(headers)
    head.addTrailers(ending.trailers)
    if (ending.http == HttpStatus.UNAUTHORIZED) head.add("www-authenticate", "Bearer")
    write(head.build(), JSON.writeValueAsBytes(ending.toJson(json)))
}

private fun head(
    status: HttpStatus,
    type: String,
): ResponseHeadersBuilder =
    ResponseHeaders
        .builder(
            status,
        ).add("content-type", "$type; charset=utf-8")
        .add("cache-control", "no-store")

private fun ResponseHeadersBuilder.addTrailers(trailers: Metadata) {
    val shown = Metadata().apply { merge(trailers) }
    shown.removeAll(StatusDetails.KEY)
    addMetadata(shown, TRAILER_PREFIX)
}

/** Where gRPC has the details of an error; they are in the body here. */
internal object StatusDetails {
    val KEY: Metadata.Key<ByteArray> =
        Metadata.Key.of(
            "grpc-status-details-bin",
            Metadata.BINARY_BYTE_MARSHALLER,
        )
}

/** What writes messages as JSON; a failure means that the peer has sent something else. */
internal typealias Printer = (ByteArray) -> String

/** One message and nothing else, once the call has ended well; else what went wrong. */
internal class UnaryJsonAnswer(
    private val response: ResponseStream,
    private val json: MessageJson,
    private val print: Printer,
) : Answer {
    private var headers = Metadata()
    private var message: ByteArray? = null

    override suspend fun begin(headers: Metadata) {
        this.headers = headers
    }

    override suspend fun message(message: ByteArray) {
        if (this.message !=
            null
        ) {
            throw garbage("the peer sent a second response to a call that has one")
        }
        this.message = message
    }

    override suspend fun end(ending: Ending) {
        if (!ending.status.isOk) return response.writeFailure(ending, json, headers)
        val text =
            try {
                printed(message ?: throw garbage("the peer sent no response"), print)
            } catch (e: StatusException) {
                return response.writeFailure(Ending(e.status), json)
            }
        val head = head(HttpStatus.OK, "application/json")
        head.addMetadata(headers)
        head.addTrailers(ending.trailers)
        response.write(head.build(), text.toByteArray())
    }
}

/** Each message as it comes, `{"result": …}` and a line feed; a failure is a last line `{"error": …}`. */
internal class LinesAnswer(
    private val response: ResponseStream,
    private val json: MessageJson,
    private val print: Printer,
) : Answer {
    private var begun = false

    override suspend fun begin(headers: Metadata) {
        begun = true
        response.write(
            head(HttpStatus.OK, "application/x-ndjson").apply { addMetadata(headers) }.build(),
        )
    }

    override suspend fun message(message: ByteArray) =
        response.write("{\"result\":${printed(message, print)}}\n")

    override suspend fun end(ending: Ending) {
        when {
            ending.status.isOk && !begun -> begin(ending.trailers)
            ending.status.isOk -> Unit
            begun -> response.write("{\"error\":${ending.toJson(json)}}\n")
            else -> response.writeFailure(ending, json)
        }
    }
}

/**
 * Server-sent events: `message` with each message as it comes, and `end` with the status and the
 * trailers. A call that fails before anything came is answered as in the other forms.
 */
internal class EventsAnswer(
    private val response: ResponseStream,
    private val json: MessageJson,
    private val print: Printer,
) : Answer {
    private var begun = false

    override suspend fun begin(headers: Metadata) {
        begun = true
        response.write(
            head(HttpStatus.OK, "text/event-stream").apply { addMetadata(headers) }.build(),
        )
    }

    override suspend fun message(message: ByteArray) = event("message", printed(message, print))

    override suspend fun end(ending: Ending) {
        if (!begun && !ending.status.isOk) return response.writeFailure(ending, json)
        if (!begun) begin(Metadata())
        val end = ending.toJson(json)
        val trailers = end.putArray("trailers")
        ending.trailers.texts().forEach { (name, value) ->
            trailers.addArray().add(name).add(value)
        }
        event("end", end.toString())
    }

    private suspend fun event(
        type: String,
        data: String,
    ) = response.write("event: $type\ndata: $data\n\n")
}

private fun printed(
    message: ByteArray,
    print: Printer,
): String =
    try {
        print(message)
    } catch (e: InvalidProtocolBufferException) {
        throw garbage(
            "the peer sent what is no message of the type that it has told: ${e.message}",
            e,
        )
    }
