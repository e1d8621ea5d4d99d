package io.grpcstream.kotlin

import com.google.common.util.concurrent.MoreExecutors
import io.grpc.CallOptions
import io.grpc.Deadline
import io.grpc.Metadata
import io.grpc.Status
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.Job
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import org.slf4j.LoggerFactory
import java.lang.reflect.Field
import java.util.concurrent.TimeUnit.MILLISECONDS
import kotlin.coroutines.CoroutineContext

/** A call's options with what its caller's coroutine adds to them. */
internal class CallerOptions(
    val options: CallOptions,
    private val timeout: Deadline?,
) {
    /**
     * Throws the [status] of a call. If it is but the peer's or gRPC's view of a timeout around the
     * call, which is about to strike here too, waits for that, so that the caller sees one kind of
     * failure and not the winner of a race.
     */
    suspend fun fail(
        status: Status,
        trailers: Metadata,
    ): Nothing {
        val timedOut = timeout != null && timeout.timeRemaining(MILLISECONDS) < ABOUT_TO_STRIKE_MS
        if (status.code == Status.Code.DEADLINE_EXCEEDED && timedOut) {
            awaitCancellation()
        }
        throw status.asException(trailers)
    }

    private companion object {
        /** More than gRPC loses by rounding a deadline that it sends. */
        private const val ABOUT_TO_STRIKE_MS = 50
    }
}

/**
 * These options for a call of the current coroutine: with its context, its timeouts as a deadline,
 * and with callbacks on the event loop unless an executor is set.
 */
internal suspend fun CallOptions.ofCaller(): CallerOptions {
    val context = currentCoroutineContext()
    context.ensureActive()
    val timeout = context.timeout()
    // Each step copies all options.
    var options = if (executor == null) onEventLoop() else this
    options = options.withOption(CALLER_CONTEXT, context)
    if (timeout != null) {
        options = options.withDeadline(earliest(deadline, timeout))
    }
    return CallerOptions(options, timeout)
}

private val DEFAULT_ON_EVENT_LOOP =
    CallOptions.DEFAULT.withExecutor(MoreExecutors.directExecutor())

private fun CallOptions.onEventLoop(): CallOptions =
    if (this === CallOptions.DEFAULT) {
        DEFAULT_ON_EVENT_LOOP
    } else {
        withExecutor(MoreExecutors.directExecutor())
    }

internal fun earliest(
    one: Deadline?,
    other: Deadline?,
): Deadline? = if (one == null || other == null) one ?: other else one.minimum(other)

/**
 * When the shortest `withTimeout` around this context's coroutine ends, if all had begun now. They
 * began earlier, so it is an upper bound: no one can ask them how much is left.
 */
internal fun CoroutineContext.timeout(): Deadline? {
    var shortest = Long.MAX_VALUE
    var job = this[Job]
    while (job != null) {
        shortest = minOf(shortest, Timeouts.millis(job) ?: Long.MAX_VALUE)
        job = job.parentJob()
    }
    return if (shortest == Long.MAX_VALUE) null else Deadline.after(shortest, MILLISECONDS)
}

@OptIn(ExperimentalCoroutinesApi::class)
private fun Job.parentJob(): Job? = parent

/** Reads the length of a timeout from kotlinx's coroutine for it, which is not part of its API. */
internal object Timeouts {
    private val log = LoggerFactory.getLogger("io.grpcstream.kotlin.Deadlines")

    private val time: Field? =
        try {
            Class.forName("kotlinx.coroutines.TimeoutCoroutine").getField("time").apply {
                isAccessible = true
            }
        } catch (e: ReflectiveOperationException) {
            unknown(e)
        } catch (e: RuntimeException) {
            // Closed by its module, or by a security manager.
            unknown(e)
        }

    /** Milliseconds, or null if [job] is no timeout, or one without an end. */
    fun millis(job: Job): Long? =
        time?.takeIf { it.declaringClass.isInstance(job) }?.getLong(job)?.takeIf {
            it < Long.MAX_VALUE
        }

    private fun unknown(cause: Exception): Field? {
        log.debug("withTimeout will not set deadlines: this kotlinx-coroutines hides it", cause)
        return null
    }
}
