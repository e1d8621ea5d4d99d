package io.grpcstream.kotlin

import io.grpc.CallOptions
import io.grpc.Channel
import io.grpc.ClientCall
import io.grpc.Metadata
import io.grpc.MethodDescriptor
import io.grpc.Status
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.launch
import java.util.concurrent.atomic.AtomicReference
import kotlinx.coroutines.channels.Channel as CoroutineChannel

/**
 * One streaming call: gRPC's callbacks on one side, coroutines on the other.
 *
 * Responses: as many as fit into a small buffer are asked for, and one more for each that is taken
 * out, so that the buffer never overflows and the rest waits in the transport. Requests: each waits
 * until the transport is ready for it, which [onReady] signals.
 *
 * The first to end the call, its status or a failure of the requests, decides how it ends.
 */
internal class StreamingCall<Q, R>(
    private val method: MethodDescriptor<Q, R>,
    private val call: ClientCall<Q, R>,
    private val prefetch: Int,
) : ClientCall.Listener<R>() {
    private val responses = CoroutineChannel<R>(prefetch)
    private val ready = CoroutineChannel<Unit>(CoroutineChannel.CONFLATED)
    private val end = AtomicReference<suspend () -> Unit>()
    private var cancelled = false

    fun start(headers: Metadata) {
        call.start(this, headers.copy())
        call.request(prefetch)
    }

    override fun onMessage(message: R) {
        val placed = responses.trySend(message)
        check(placed.isSuccess || placed.isClosed) {
            "${method.fullMethodName}: a response came that was not asked for, beyond $prefetch"
        }
    }

    override fun onReady() {
        ready.trySend(Unit)
    }

    override fun onClose(
        status: Status,
        trailers: Metadata,
    ) {
        end { if (!status.isOk) throw status.asException(trailers) }
    }

    private fun end(how: suspend () -> Unit): Boolean {
        val first = end.compareAndSet(null, how)
        responses.close()
        return first
    }

    /** Collects and sends the [requests], and half-closes; it is not here that it fails. */
    suspend fun send(requests: Flow<Q>) {
        try {
            requests.collect { request ->
                while (!call.isReady) {
                    ready.receive()
                }
                unlessCancelled { call.sendMessage(request) }
            }
            unlessCancelled { call.halfClose() }
        } catch (failure: Throwable) {
            if (end { throw failure }) {
                cancel("the flow of requests failed", failure)
            }
        }
    }

    /** Sends the only [request] there is; the transport takes one without being asked. */
    fun sendOne(request: Q) {
        call.sendMessage(request)
        call.halfClose()
    }

    /** Hands all responses to [take], and returns once the call has ended with OK. */
    suspend inline fun receiveEach(take: (R) -> Unit) {
        for (response in responses) {
            call.request(1)
            take(response)
        }
        awaitOk()
    }

    /** The only response, once the call has ended with OK. */
    suspend fun receiveOne(): R {
        val response = responses.receiveCatching()
        if (response.isSuccess && responses.receiveCatching().isSuccess) {
            throw method.secondResponse().asException()
        }
        awaitOk()
        if (response.isClosed) {
            throw method.noResponse().asException()
        }
        return response.getOrThrow()
    }

    private suspend fun awaitOk() {
        currentCoroutineContext().ensureActive() // The caller's cancellation before its effects.
        end.get().invoke()
    }

    /** Has no effect once the call has ended. */
    @Synchronized
    fun cancel(
        why: String,
        cause: Throwable,
    ) {
        cancelled = true
        call.cancel(why, cause)
    }

    /** A call must not be used after it was cancelled, nor while it is. */
    private inline fun unlessCancelled(use: () -> Unit) {
        synchronized(this) {
            if (!cancelled) {
                use()
            }
        }
    }
}

/** Runs [block] with a new call, which is cancelled if [block] fails. */
internal suspend fun <Q, R, T> Channel.streaming(
    method: MethodDescriptor<Q, R>,
    options: CallOptions,
    headers: Metadata,
    prefetch: Int,
    block: suspend (StreamingCall<Q, R>) -> T,
): T {
    val call = StreamingCall(method, newCall(method, options.ofCaller()), prefetch)
    try {
        call.start(headers)
        return block(call)
    } catch (failure: Throwable) {
        call.cancel("the caller failed, or was cancelled", failure)
        throw failure
    }
}

/** Runs [receive] while a coroutine sends the [requests], for no longer than that. */
internal suspend fun <Q, T> CoroutineScope.sending(
    call: StreamingCall<Q, *>,
    requests: Flow<Q>,
    receive: suspend () -> T,
): T {
    val sender = launch { call.send(requests) }
    try {
        return receive()
    } finally {
        sender.cancel()
    }
}
