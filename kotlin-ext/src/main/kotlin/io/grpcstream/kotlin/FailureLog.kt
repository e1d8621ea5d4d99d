package io.grpcstream.kotlin

import io.grpc.Status
import org.slf4j.Logger
import org.slf4j.LoggerFactory
import java.util.concurrent.RejectedExecutionException

/**
 * Logs failures of services, each once with its stack: as errors those that nobody foresaw
 * (`UNKNOWN`, `INTERNAL`), the others as warnings.
 *
 * A peer can cause them at will, so there is a limit a second; those above it are counted and are
 * seen at debug level only.
 */
internal class FailureLog(
    private val logger: Logger = LoggerFactory.getLogger(FailureLog::class.java),
    private val nanoTime: () -> Long = System::nanoTime,
) {
    private var windowStart = nanoTime()
    private var logged = 0
    private var suppressed = 0

    fun failed(
        call: CallContext,
        status: Status,
        failure: Throwable,
    ) {
        val error = status.code == Status.Code.UNKNOWN || status.code == Status.Code.INTERNAL
        write(error, "$call, failed with ${status.code}", failure)
    }

    fun hookFailed(
        call: CallContext,
        failure: Throwable,
    ) = write(true, "$call: mapFailure failed, so the call fails with INTERNAL", failure)

    /** What a service does after its host is gone is no failure that an operator could act on. */
    fun tooLate(
        call: CallContext,
        rejection: RejectedExecutionException,
    ) = logger.debug("{}: the service goes on after its host's end", call, rejection)

    /** An interceptor has closed the call, or the caller is gone: then this status reaches nobody. */
    fun alreadyClosed(
        call: CallContext,
        status: Status,
        refusal: IllegalStateException,
    ) = logger.debug("{}: not closed with {}", call, status, refusal)

    fun notClosed(
        call: CallContext,
        status: Status,
        failure: Throwable,
    ) = write(true, "$call: an interceptor failed to close it with ${status.code}", failure)

    private fun write(
        error: Boolean,
        what: String,
        failure: Throwable,
    ) {
        val before = admit()
        val text = if (before > 0) "$what ($before more failures before it are not shown)" else what
        when {
            before < 0 -> logger.debug(what, failure)
            error -> logger.error(text, failure)
            else -> logger.warn(text, failure)
        }
    }

    /** How many were suppressed before this one, or -1 if it must not be logged either. */
    @Synchronized
    private fun admit(): Int {
        val now = nanoTime()
        if (now - windowStart >= WINDOW_NANOS) {
            windowStart = now
            logged = 0
        }
        if (logged == STACKS_PER_WINDOW) {
            suppressed++
            return -1
        }
        logged++
        return suppressed.also { suppressed = 0 }
    }

    internal companion object {
        const val STACKS_PER_WINDOW = 20
        const val WINDOW_NANOS = 1_000_000_000L
    }
}
