package io.grpcstream.kotlin

import io.grpc.CallOptions
import io.grpc.Channel
import io.grpc.ClientCall
import io.grpc.ClientInterceptor
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener
import io.grpc.Metadata
import io.grpc.MethodDescriptor
import io.grpc.Status
import kotlinx.coroutines.CompletableDeferred
import java.util.concurrent.atomic.AtomicReference

/**
 * What comes back with one call beside its messages: headers, trailers and status.
 *
 * ```
 * val metadata = ResponseMetadata()
 * val reply = channel.withInterceptors(metadata).unary(method, request)
 * metadata.headers()[SERVER_VERSION] shouldBe "1.0"
 * ```
 *
 * With a generated stub: `stub.withInterceptors(metadata)`. It belongs to the first call made with
 * it; a second one fails with [IllegalStateException]. Its functions may be called at any time, from
 * any coroutine, also while a stream's responses are being collected; they return copies.
 */
public class ResponseMetadata : ClientInterceptor {
    private val call = AtomicReference<MethodDescriptor<*, *>>()
    private val headers = CompletableDeferred<Metadata>()
    private val end = CompletableDeferred<Pair<Status, Metadata>>()

    /** The response's headers, once they came; empty if the call ended without any. */
    public suspend fun headers(): Metadata = headers.await().copy()

    /** The trailers, once the call has ended; empty if there are none. */
    public suspend fun trailers(): Metadata = end.await().second.copy()

    /** How the call ended, once it has; it is returned and not thrown, whatever it is. */
    public suspend fun status(): Status = end.await().first

    override fun <Q, R> interceptCall(
        method: MethodDescriptor<Q, R>,
        options: CallOptions,
        next: Channel,
    ): ClientCall<Q, R> {
        check(call.compareAndSet(null, method)) {
            "this ResponseMetadata is that of a call to ${call.get().fullMethodName}: " +
                "for a call to ${method.fullMethodName}, make another one"
        }
        try {
            return Observed(next.newCall(method, options))
        } catch (e: Throwable) {
            ended(Status.fromThrowable(e), Metadata())
            throw e
        }
    }

    private fun ended(
        status: Status,
        trailers: Metadata,
    ) {
        headers.complete(Metadata())
        end.complete(status to trailers)
    }

    private inner class Observed<Q, R>(
        call: ClientCall<Q, R>,
    ) : SimpleForwardingClientCall<Q, R>(call) {
        @Volatile
        private var started = false

        override fun start(
            responseListener: Listener<R>,
            headers: Metadata,
        ) {
            super.start(ObservingListener(responseListener), headers)
            started = true
        }

        override fun cancel(
            message: String?,
            cause: Throwable?,
        ) {
            super.cancel(message, cause)
            if (!started) { // Then no listener hears of it.
                ended(Status.CANCELLED.withDescription(message).withCause(cause), Metadata())
            }
        }
    }

    private inner class ObservingListener<R>(
        listener: ClientCall.Listener<R>,
    ) : SimpleForwardingClientCallListener<R>(listener) {
        override fun onHeaders(headers: Metadata) {
            this@ResponseMetadata.headers.complete(headers.copy())
            super.onHeaders(headers)
        }

        override fun onClose(
            status: Status,
            trailers: Metadata,
        ) {
            ended(status, trailers.copy())
            super.onClose(status, trailers)
        }
    }
}
