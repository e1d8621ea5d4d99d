package io.grpcstream.kotlin

import io.grpc.ServerCall
import io.grpc.Status
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import java.util.concurrent.atomic.AtomicBoolean

/**
 * Waits for the one request of a call, and starts the coroutine with it in hand once the caller has
 * half-closed: a caller that sends less or more than one never gets to the service.
 */
internal class OneRequestListener<Q, R>(
    call: ServerCall<Q, R>,
    private val served: ServedCall<R>,
    private val serve: suspend (request: Q) -> Unit,
) : ServerCall.Listener<Q>() {
    private var request: Q? = null
    private var tooMany = false

    init {
        call.request(2) // The second would be one too many.
    }

    override fun onMessage(message: Q) {
        if (request == null) {
            request = message
        } else if (!tooMany) {
            tooMany = true
            fail("more than one request")
        }
    }

    override fun onHalfClose() {
        val one = request
        when {
            tooMany -> Unit
            one == null -> fail("half-closed without a request")
            else -> served.launch { serve(one) }
        }
    }

    private fun fail(description: String) =
        served.end(Status.INTERNAL.withDescription(description).asException())

    override fun onReady() = served.onReady()

    override fun onCancel() = served.onCancel()
}

/**
 * Starts the coroutine with the call, and feeds it the requests.
 *
 * The transport is asked for [PREFETCH] requests, and for one more each time the service is done with
 * one. So that many are in memory at most, the one in the service's hands included, and a slow
 * service holds the caller up through the windows of HTTP/2. Once the service stops collecting, what
 * still comes is dropped.
 */
internal class RequestFlowListener<Q, R>(
    private val call: ServerCall<Q, R>,
    private val served: ServedCall<R>,
    serve: suspend (requests: Flow<Q>) -> Unit,
) : ServerCall.Listener<Q>() {
    private val queue = Channel<Q>(PREFETCH)
    private val collected = AtomicBoolean()

    private val requests: Flow<Q> =
        flow {
            check(collected.compareAndSet(false, true)) {
                "${call.methodDescriptor.fullMethodName}: the requests can be collected only once"
            }
            try {
                for (request in queue) {
                    emit(request)
                    call.request(1)
                }
            } finally {
                queue.cancel()
                call.request(PREFETCH) // For what is dropped from now on.
            }
        }

    init {
        call.request(PREFETCH)
        served.launch { serve(requests) }
    }

    override fun onMessage(message: Q) {
        if (queue.trySend(message).isFailure) {
            call.request(1)
        }
    }

    override fun onHalfClose() {
        queue.close()
    }

    override fun onReady() = served.onReady()

    override fun onCancel() {
        served.onCancel()
        queue.cancel(CancellationException("the call has ended"))
    }

    internal companion object {
        const val PREFETCH = 4
    }
}
