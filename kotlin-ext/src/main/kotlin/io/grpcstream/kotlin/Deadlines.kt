package io.grpcstream.kotlin

import com.google.common.util.concurrent.MoreExecutors
import io.grpc.CallOptions
import io.grpc.Channel
import io.grpc.ClientCall
import io.grpc.ClientInterceptor
import io.grpc.Deadline
import io.grpc.MethodDescriptor
import io.grpc.Status
import io.grpc.StatusException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.ThreadContextElement
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import java.util.concurrent.TimeUnit.MILLISECONDS
import java.util.concurrent.TimeUnit.NANOSECONDS
import kotlin.coroutines.AbstractCoroutineContextElement
import kotlin.coroutines.CoroutineContext
import kotlin.time.Duration

/**
 * Runs [block], whose calls have all together [timeout] from now on: it is their deadline, which the
 * peers are told, too, so that a service knows when nobody waits for it any more.
 *
 * ```
 * val reply =
 *     withDeadline(20.seconds) {
 *         channel.unary(GreeterGrpc.getSayHelloMethod(), request)
 *     }
 * ```
 *
 * It holds in the block and in all coroutines that inherit its context: for [Channel.unary][unary] and
 * its like, for generated coroutine stubs over channels that are made by [grpcChannel], [peerChannel]
 * or a [grpcPeer], and for those over other channels on which [withCallerContext] is called there. An
 * earlier deadline goes before it: that of a `withDeadline` around this one, of a call's options, or of
 * the call which the caller serves.
 *
 * When the time is up, [StatusException] with `DEADLINE_EXCEEDED` is thrown out of here. A call under
 * way fails with it and says what it waited for; whatever else the block does is cancelled a moment
 * later, as by `withTimeout`. So catch it around this rather than in the block. If there is no time to
 * begin with, the block does not run. With [Duration.INFINITE] nothing is added to what holds already.
 *
 * `withTimeout` around a call cancels it just as well, but the peer is not told beforehand, and the
 * exception is coroutines' own: when its time is up is known to nobody but coroutines themselves.
 */
public suspend fun <T> withDeadline(
    timeout: Duration,
    block: suspend CoroutineScope.() -> T,
): T {
    if (timeout.isInfinite() && timeout.isPositive()) {
        return coroutineScope(block)
    }
    val own = Deadline.after(timeout.inWholeNanoseconds, NANOSECONDS)
    val deadline = currentCoroutineContext().earliest(own) ?: own
    val left = deadline.timeRemaining(MILLISECONDS)
    val result =
        if (deadline.isExpired) {
            null
        } else {
            withContext(CallDeadline(deadline)) {
                withTimeoutOrNull(left + CALLS_END_FIRST_MILLIS) { Result.success(block()) }
            }
        }
    return (result ?: throw passed(timeout)).getOrThrow()
}

private fun passed(timeout: Duration) =
    StatusException(
        Status.DEADLINE_EXCEEDED.withDescription(
            "withDeadline($timeout): it passed, or an earlier one around it",
        ),
    )

/**
 * How much later than its calls a block is cut, as they know better what took so long. That they are
 * indeed first matters to the text of the failure alone.
 */
private const val CALLS_END_FIRST_MILLIS = 50

/**
 * The deadline of the calls that are made in a context: told to those by [unary] and its like through
 * the context, and to generated stubs by the thread they call on, see [ContextDeadline].
 */
private class CallDeadline(
    val deadline: Deadline,
) : AbstractCoroutineContextElement(CallDeadline),
    ThreadContextElement<Deadline?> {
    override fun updateThreadContext(context: CoroutineContext): Deadline? {
        val before = OF_THREAD.get()
        OF_THREAD.set(deadline)
        return before
    }

    override fun restoreThreadContext(
        context: CoroutineContext,
        oldState: Deadline?,
    ) {
        if (oldState == null) OF_THREAD.remove() else OF_THREAD.set(oldState)
    }

    override fun toString(): String = "CallDeadline($deadline)"

    companion object Key : CoroutineContext.Key<CallDeadline> {
        val OF_THREAD = ThreadLocal<Deadline?>()
    }
}

/** Gives calls the deadline of the [withDeadline] that they are made in, unless theirs is earlier. */
internal object ContextDeadline : ClientInterceptor {
    override fun <Q, R> interceptCall(
        method: MethodDescriptor<Q, R>,
        options: CallOptions,
        next: Channel,
    ): ClientCall<Q, R> {
        val around = CallDeadline.OF_THREAD.get()
        val given = options.deadline
        return if (around == null || (given != null && !around.isBefore(given))) {
            next.newCall(method, options)
        } else {
            next.newCall(method, options.withDeadline(around))
        }
    }
}

/** The earlier one of [given] and of what [withDeadline] around this context's coroutine says. */
internal fun CoroutineContext.earliest(given: Deadline?): Deadline? {
    val around = this[CallDeadline]?.deadline
    return if (given == null || around == null) given ?: around else given.minimum(around)
}

/**
 * These options for a call of the current coroutine: with its context, its deadline, and with
 * callbacks on the event loop unless an executor is set.
 */
internal suspend fun CallOptions.ofCaller(): CallOptions {
    val context = currentCoroutineContext()
    context.ensureActive()
    // Each step copies all options.
    val options =
        (
            if (executor ==
                null
            ) {
                onEventLoop()
            } else {
                this
            }
        ).withOption(CALLER_CONTEXT, context)
    val deadline = context.earliest(options.deadline)
    return if (deadline === options.deadline) options else options.withDeadline(deadline)
}

private val DEFAULT_ON_EVENT_LOOP =
    CallOptions.DEFAULT.withExecutor(MoreExecutors.directExecutor())

private fun CallOptions.onEventLoop(): CallOptions =
    if (this === CallOptions.DEFAULT) {
        DEFAULT_ON_EVENT_LOOP
    } else {
        withExecutor(MoreExecutors.directExecutor())
    }
