package io.grpcstream.samples.peercurl.doors

import io.grpc.Status
import io.grpcstream.samples.peercurl.plainLine
import io.netty.handler.codec.http2.Http2Error
import io.netty.handler.codec.http2.Http2Headers
import kotlin.time.Duration
import kotlin.time.TimeSource

/**
 * What one HTTP/2 connection's frames tell about its calls. At most [MAX_CALLS] at a time are
 * followed; who makes more gets no lines for the others.
 */
internal class CallLog(
    private val tell: (FinishedCall) -> Unit,
) {
    private class Call(
        val method: String,
        val begin: TimeSource.Monotonic.ValueTimeMark,
        var sent: Long = 0,
        var received: Long = 0,
    )

    private val calls = HashMap<Int, Call>()

    /** The headers of a request. */
    fun requested(block: HeaderBlock) {
        val path = block.headers.path() ?: return // Trailers.
        if (calls.size < MAX_CALLS) {
            calls.putIfAbsent(
                block.streamId,
                Call(printable(path.removePrefix("/")), TimeSource.Monotonic.markNow()),
            )
        }
    }

    fun sent(
        streamId: Int,
        bytes: Int,
    ) {
        calls[streamId]?.let { it.sent += bytes }
    }

    fun received(
        streamId: Int,
        bytes: Int,
    ) {
        calls[streamId]?.let { it.received += bytes }
    }

    /** Headers or trailers of a response. */
    fun responded(block: HeaderBlock) {
        if (block.endOfStream) end(block.streamId, statusOf(block.headers))
    }

    /** One of the two has given the call up, with a code of HTTP/2. */
    fun reset(
        streamId: Int,
        byCaller: Boolean,
        code: Long,
    ) {
        val name = Http2Error.valueOf(code)?.name ?: "code $code"
        val who = if (byCaller) "by the caller" else "by the server"
        val status = if (code == Http2Error.CANCEL.code()) Status.CANCELLED else Status.UNAVAILABLE
        end(streamId, status.withDescription("reset $who: $name"))
    }

    /** The connection has ended, and so have its calls. */
    fun lost(text: String) {
        calls.keys.toList().forEach { end(it, Status.UNAVAILABLE.withDescription(text)) }
    }

    private fun end(
        streamId: Int,
        status: Status,
    ) {
        val call = calls.remove(streamId) ?: return
        tell(FinishedCall(call.method, status, call.begin.elapsedNow(), call.sent, call.received))
    }

    private fun statusOf(trailers: Http2Headers): Status {
        val code =
            trailers.get("grpc-status")?.toString()?.toIntOrNull()
                ?: return Status.UNKNOWN.withDescription(
                    "no grpc-status; HTTP status ${printable(trailers.status() ?: "none")}",
                )
        val text = trailers.get("grpc-message")?.toString()
        return Status
            .fromCodeValue(
                code,
            ).withDescription(text?.let { printable(GrpcMessage.decode(it)) })
    }

    /** What peers write must not steer the terminal that it is printed to. */
    private fun printable(text: CharSequence): String = plainLine(text.take(MAX_TEXT).toString())

    private companion object {
        const val MAX_CALLS = 10_000
        const val MAX_TEXT = 500
    }
}

/** A call that has passed a door, to its end. */
public class FinishedCall(
    /** Service and method. */
    public val method: String,
    public val status: Status,
    public val duration: Duration,
    /** Bytes of messages from the caller, as they were on the wire. */
    public val sent: Long,
    /** Bytes of messages to the caller. */
    public val received: Long,
)
