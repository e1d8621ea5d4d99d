package io.grpcstream.samples.gateway.http

import io.grpc.CallOptions
import io.grpc.Channel
import io.grpc.ClientCall
import io.grpc.ClientInterceptor
import io.grpc.ClientInterceptors
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener
import io.grpc.Metadata
import io.grpc.MethodDescriptor
import io.grpc.MethodDescriptor.MethodType
import io.grpc.Status
import io.grpc.StatusException
import io.grpcstream.kotlin.bidiStreaming
import io.grpcstream.kotlin.serverStreaming
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.asFlow
import kotlinx.coroutines.launch
import java.io.ByteArrayInputStream
import java.io.InputStream
import java.util.concurrent.TimeUnit
import kotlin.time.Duration

/**
 * One call as it is made: of whatever kind the method is, on the wire it is requests and responses, and
 * their bytes pass as they are. Cancelling the coroutine cancels the call.
 *
 * @param method `package.Service/Method`
 * @param timeout the deadline that the peer is told
 */
internal class PeerCall(
    private val method: String,
    private val requests: List<ByteArray>,
    private val headers: Metadata,
    private val timeout: Duration?,
) {
    /** Makes the call, and hands over what comes; waits for each part to be taken before the next one. */
    suspend fun make(
        channel: Channel,
        answer: Answer,
    ): Ending {
        val heads = Heads()
        val observed = ClientInterceptors.intercept(channel, heads)
        var options = CallOptions.DEFAULT
        if (timeout !=
            null
        ) {
            options =
                options.withDeadlineAfter(timeout.inWholeNanoseconds, TimeUnit.NANOSECONDS)
        }
        val responses =
            if (requests.size == 1) {
                observed.serverStreaming(
                    descriptor(MethodType.SERVER_STREAMING),
                    requests.single(),
                    options,
                    headers,
                )
            } else {
                observed.bidiStreaming(
                    descriptor(MethodType.BIDI_STREAMING),
                    requests.asFlow(),
                    options,
                    headers,
                )
            }
        val ending =
            try {
                coroutineScope {
                    val head = launch { heads.headers.await()?.let { answer.begin(it) } }
                    responses.collect { message ->
                        head.join()
                        answer.message(message)
                    }
                    head.join()
                }
                Ending(Status.OK, heads.trailers.await())
            } catch (e: StatusException) {
                Ending(e.status, e.trailers ?: Metadata())
            }
        answer.end(ending)
        return ending
    }

    private fun descriptor(type: MethodType): MethodDescriptor<ByteArray, ByteArray> =
        MethodDescriptor
            .newBuilder(Bytes, Bytes)
            .setType(type)
            .setFullMethodName(method)
            .build()

    private object Bytes : MethodDescriptor.Marshaller<ByteArray> {
        override fun stream(value: ByteArray): InputStream = ByteArrayInputStream(value)

        override fun parse(stream: InputStream): ByteArray = stream.readBytes()
    }

    /** Hears of the headers, as soon as they come, and of the trailers. */
    private class Heads : ClientInterceptor {
        /** Null if the call has ended without. */
        val headers = CompletableDeferred<Metadata?>()
        val trailers = CompletableDeferred<Metadata>()

        override fun <Q, R> interceptCall(
            method: MethodDescriptor<Q, R>,
            options: CallOptions,
            next: Channel,
        ): ClientCall<Q, R> =
            object : SimpleForwardingClientCall<Q, R>(next.newCall(method, options)) {
                override fun start(
                    listener: Listener<R>,
                    headers: Metadata,
                ) = super.start(Listening(listener), headers)
            }

        private inner class Listening<R>(
            listener: ClientCall.Listener<R>,
        ) : SimpleForwardingClientCallListener<R>(listener) {
            override fun onHeaders(headers: Metadata) {
                this@Heads.headers.complete(headers)
                super.onHeaders(headers)
            }

            override fun onClose(
                status: Status,
                trailers: Metadata,
            ) {
                headers.complete(null)
                this@Heads.trailers.complete(trailers)
                super.onClose(status, trailers)
            }
        }
    }
}

/** The peer has not kept to what it has told of itself. */
internal fun garbage(
    what: String,
    cause: Throwable? = null,
): StatusException =
    Status.INTERNAL
        .withDescription(what)
        .withCause(cause)
        .asException()
