package io.grpcstream.kotlin

import io.grpc.ForwardingServerCall.SimpleForwardingServerCall
import io.grpc.Metadata
import io.grpc.ServerCall
import io.grpc.Status
import org.slf4j.LoggerFactory
import java.util.concurrent.RejectedExecutionException

/**
 * A call on its way from a service to gRPC, which adds the headers and trailers of the [CallContext].
 * Its status has been made of a failure of the service before it gets here.
 */
internal class ServiceCall<Q, R>(
    call: ServerCall<Q, R>,
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
                context.addHeadersTo(headers)
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
        // Those of a failure may be those of an exception, which is thrown again: gRPC adds to them.
        val all = context.withTrailers(if (status.isOk) trailers else trailers.copy())
        synchronized(lock) {
            closed = true
            // What cancelled the call tells the caller why, as that a message is too large. That is
            // under way, and a status from here, which is that of any cancelled coroutine, could
            // get ahead of it. But a message that gRPC holds back until the end is released by it.
            if (!isCancelled || answered) {
                untilLoopEnds { super.close(status, all) }
            }
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
            log.debug("{}: the service goes on after its host's end", context, e)
        }
    }

    private companion object {
        val log = LoggerFactory.getLogger(ServiceCall::class.java)
    }
}
