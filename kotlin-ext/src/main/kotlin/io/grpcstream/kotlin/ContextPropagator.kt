package io.grpcstream.kotlin

import io.grpc.Metadata
import kotlin.coroutines.CoroutineContext
import kotlin.coroutines.EmptyCoroutineContext

/**
 * Carries coroutine-context elements of the user's choice, such as a logging context or a trace, from
 * the coroutine that makes a call to the one that serves it, as headers of the call. A call's
 * `CoroutineName`, for example:
 *
 * ```
 * object TaskPropagator : ContextPropagator {
 *     override fun inject(
 *         context: CoroutineContext,
 *         headers: Metadata,
 *     ) {
 *         context[CoroutineName]?.let { headers.put(TASK, it.name) }
 *     }
 *
 *     override fun extract(headers: Metadata): CoroutineContext =
 *         headers[TASK]?.let(::CoroutineName) ?: EmptyCoroutineContext
 * }
 * ```
 *
 * The caller adds it by [asClientInterceptor], the service by [GrpcStreamBuilder.propagate].
 *
 * Both functions are called once a call; they must not block. What they throw fails that call.
 */
public interface ContextPropagator {
    /** On the calling side: writes what should travel from the caller's [context] into the [headers]. */
    public fun inject(
        context: CoroutineContext,
        headers: Metadata,
    ) {
    }

    /**
     * On the serving side: the elements that the service's coroutine gets, from the request's
     * [headers]. They are what the peer claims, which nothing proves.
     */
    public fun extract(headers: Metadata): CoroutineContext = EmptyCoroutineContext
}
