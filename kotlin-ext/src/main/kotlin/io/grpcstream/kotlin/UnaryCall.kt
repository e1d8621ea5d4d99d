package io.grpcstream.kotlin

import io.grpc.CallOptions
import io.grpc.Channel
import io.grpc.ClientCall
import io.grpc.Metadata
import io.grpc.MethodDescriptor
import io.grpc.Status
import kotlinx.coroutines.CancellableContinuation
import kotlinx.coroutines.suspendCancellableCoroutine
import kotlin.coroutines.resume

/** A unary call with no coroutine but the caller's, which the listener resumes once. */
internal suspend fun <Q, R> Channel.unaryCall(
    method: MethodDescriptor<Q, R>,
    request: Q,
    options: CallOptions,
    headers: Metadata,
): R {
    val call = newCall(method, options.ofCaller())
    val end =
        suspendCancellableCoroutine { continuation ->
            try {
                call.start(UnaryListener(method, continuation), headers.copy())
                call.request(2) // The second would be one too many, and has to be seen for that.
                call.sendMessage(request)
                call.halfClose()
                // Last, as a call must not be used and cancelled at the same time.
                continuation.invokeOnCancellation { call.cancel(CALLER_CANCELLED, it) }
            } catch (failure: Throwable) {
                continuation.cancel(failure)
                call.cancel(NOT_STARTED, failure)
            }
        }
    if (!end.status.isOk) {
        call.cancel("the call has failed", null) // It still runs if it had a second response.
        throw end.status.asException(end.trailers)
    }
    @Suppress("UNCHECKED_CAST") // There is a response if the status is OK; it may be null.
    return end.response as R
}

private class UnaryEnd<R>(
    val status: Status,
    val trailers: Metadata,
    val response: R?,
)

private class UnaryListener<R>(
    private val method: MethodDescriptor<*, R>,
    private val continuation: CancellableContinuation<UnaryEnd<R>>,
) : ClientCall.Listener<R>() {
    private var responses = 0
    private var response: R? = null

    override fun onMessage(message: R) {
        responses++
        response = message
        if (responses == 2) {
            continuation.resume(UnaryEnd(method.secondResponse(), Metadata(), null))
        }
    }

    override fun onClose(
        status: Status,
        trailers: Metadata,
    ) {
        if (responses < 2) {
            val end = if (status.isOk && responses == 0) method.noResponse() else status
            continuation.resume(UnaryEnd(end, trailers, response))
        }
    }
}

internal const val CALLER_CANCELLED = "the caller's coroutine was cancelled"
internal const val NOT_STARTED = "the call could not be started"

/** Metadata is not thread-safe, and a call adds to its headers. */
internal fun Metadata.copy(): Metadata = Metadata().also { it.merge(this) }

internal fun MethodDescriptor<*, *>.secondResponse(): Status =
    Status.INTERNAL.withDescription("$fullMethodName sent a second response, where one is due")

internal fun MethodDescriptor<*, *>.noResponse(): Status =
    Status.INTERNAL.withDescription("$fullMethodName ended with OK, but without a response")
