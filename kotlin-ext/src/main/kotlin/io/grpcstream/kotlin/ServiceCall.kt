package io.grpcstream.kotlin

import io.grpc.ForwardingServerCall.SimpleForwardingServerCall
import io.grpc.Metadata
import io.grpc.ServerCall
import io.grpc.Status
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.TimeoutCancellationException
import java.util.concurrent.RejectedExecutionException

/**
 * A call on its way from a service to gRPC: it adds the headers and trailers of the [CallContext],
 * and turns failures into statuses.
 */
internal class ServiceCall<Q, R>(
    call: ServerCall<Q, R>,
    private val failures: FailureMapping,
    private val log: FailureLog,
) : SimpleForwardingServerCall<Q, R>(call) {
    lateinit var context: CallContext
    private val lock = Any()
    private var opened = false
    private var closed = false

    @Volatile
    private var answered = false

    /** Whether the service has ended the call; gRPC and interceptors can end it, too. */
    val isClosed: Boolean get() = synchronized(lock) { closed }

    /** The service may have opened the response already, when its engine comes to do so. */
    override fun sendHeaders(headers: Metadata) {
        synchronized(lock) {
            if (!opened && !closed) {
                opened = true
                headers.merge(context.responseHeaders)
                untilLoopEnds { super.sendHeaders(headers) }
            }
        }
    }

    override fun request(numMessages: Int) = untilLoopEnds { super.request(numMessages) }

    override fun sendMessage(message: R) {
        answered = true
        untilLoopEnds { super.sendMessage(message) }
    }

    override fun close(
        status: Status,
        trailers: Metadata,
    ) {
        val closing = closing(status)
        val all = Metadata() // The given ones may be those of an exception, which is thrown again.
        all.merge(trailers)
        closing.trailers?.let(all::merge)
        all.merge(context.trailers)
        synchronized(lock) {
            closed = true
            // What cancelled the call tells the caller why, as that a message is too large. That is
            // under way, and a status from here, which is that of any cancelled coroutine, could
            // get ahead of it. But a message that gRPC holds back until the end is released by it.
            if (!isCancelled || answered) {
                logFailure(closing.status) { untilLoopEnds { super.close(closing.status, all) } }
            }
        }
    }

    /** Nothing is thrown: this runs as a coroutine ends, when nobody is left to hear of it. */
    @Suppress("TooGenericExceptionCaught") // Interceptors are the user's code.
    private inline fun logFailure(
        status: Status,
        close: () -> Unit,
    ) {
        try {
            close()
        } catch (e: IllegalStateException) {
            log.alreadyClosed(context, status, e)
        } catch (e: Throwable) {
            log.notClosed(context, status, e)
        }
    }

    /**
     * Hands something to gRPC. A service may outlive its host, whose event loop then takes nothing
     * more: the call has ended long since, and nobody hears what the service still does with it.
     */
    private inline fun untilLoopEnds(action: () -> Unit) {
        try {
            action()
        } catch (e: RejectedExecutionException) {
            log.tooLate(context, e)
        }
    }

    private fun closing(status: Status): Closing {
        val failure = status.hiddenFailure()
        if (failure == null) {
            status.cause?.takeUnless { isCancelled }?.let { log.failed(context, status, it) }
            return Closing(status, null)
        }
        if (isCancelled && failure is CancellationException) {
            return Closing(status, null) // Nobody hears it any more, and nothing went wrong here.
        }
        val closing = mapped(failure)
        if (failure !is CancellationException || failure is TimeoutCancellationException) {
            log.failed(context, closing.status, failure)
        }
        return closing
    }

    @Suppress("TooGenericExceptionCaught") // The hook is the user's code.
    private fun mapped(failure: Throwable): Closing =
        try {
            failures.closingFor(failure)
        } catch (e: Throwable) {
            log.hookFailed(context, e)
            Closing(Status.INTERNAL.withCause(failure), null)
        }
}
