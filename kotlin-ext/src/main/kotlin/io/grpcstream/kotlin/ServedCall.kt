package io.grpcstream.kotlin

import io.grpc.Metadata
import io.grpc.ServerCall
import io.grpc.Status
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableJob
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.async
import kotlinx.coroutines.channels.Channel
import java.util.concurrent.atomic.AtomicBoolean
import kotlin.coroutines.CoroutineContext

/**
 * The responding half of a call that one coroutine serves, and that coroutine's life.
 *
 * The coroutine's completion closes the call, whatever completes it: also a [Job] of the service's
 * context that was cancelled before the coroutine could start. A failure ends there. It is the
 * call's outcome and not the failure of a coroutine, so the parent job, if there is one, cancels
 * calls but is never cancelled by one.
 */
internal class ServedCall<R>(
    private val call: ServerCall<*, R>,
    context: CoroutineContext,
) : CoroutineScope {
    /** Between the coroutine and the service's job; there is none if the service has none. */
    private val supervisor: CompletableJob? = context[Job]?.let(::SupervisorJob)
    private var coroutine: Job? = null
    private val ended = AtomicBoolean()

    /** Signalled when the transport may take more; made by the first response that has to wait. */
    @Volatile
    private var ready: Channel<Unit>? = null
    private var opened = false

    override val coroutineContext: CoroutineContext =
        if (supervisor == null) context else context + supervisor

    /** Runs [serve] on the dispatcher of the context; call this at most once. */
    fun launch(serve: suspend () -> Unit) {
        val coroutine =
            async(start = CoroutineStart.LAZY) {
                serve()
                open()
            }
        this.coroutine = coroutine
        coroutine.invokeOnCompletion(::end) // Before it starts, to end where the coroutine does.
        coroutine.start()
    }

    /** Sends [response] once the transport can take it. Only for the call's coroutine. */
    suspend fun send(response: R) {
        open()
        if (!call.isReady) {
            awaitReady()
        }
        call.sendMessage(response)
    }

    private suspend fun awaitReady() {
        val signal = ready ?: Channel<Unit>(Channel.CONFLATED).also { ready = it }
        while (!call.isReady) { // Asked only now: what came before the signal was there is lost.
            signal.receive()
        }
    }

    private fun open() {
        if (!opened) {
            opened = true
            call.sendHeaders(Metadata())
        }
    }

    /** Ends the call; [failure] null is success. Only the first end counts. */
    fun end(failure: Throwable?) {
        if (ended.compareAndSet(false, true)) {
            val closing = failure?.let(::closingOf) ?: Closing(Status.OK, null)
            call.close(closing.status, closing.trailers ?: Metadata())
        }
        supervisor?.complete()
    }

    fun onReady() {
        ready?.trySend(Unit)
    }

    fun onCancel() {
        val method = call.methodDescriptor.fullMethodName
        (supervisor ?: coroutine)?.cancel(
            CancellationException(
                "$method: the caller cancelled, its deadline passed or its stream ended",
            ),
        )
    }
}
