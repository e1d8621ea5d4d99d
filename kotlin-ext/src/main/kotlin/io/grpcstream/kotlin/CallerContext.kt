package io.grpcstream.kotlin

import io.grpc.CallOptions
import io.grpc.Channel
import io.grpc.ClientCall
import io.grpc.ClientInterceptor
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall
import io.grpc.Metadata
import io.grpc.MethodDescriptor
import io.grpc.stub.AbstractStub
import kotlinx.coroutines.currentCoroutineContext
import kotlin.coroutines.CoroutineContext
import kotlin.coroutines.EmptyCoroutineContext

/**
 * The context of the coroutine that makes a call, for interceptors of the client. [Channel.unary] and
 * its like set it by themselves, generated stubs by [withCallerContext].
 */
@JvmField
public val CALLER_CONTEXT: CallOptions.Key<CoroutineContext> =
    CallOptions.Key.create("io.grpcstream.kotlin.CALLER_CONTEXT")

/**
 * This stub for calls of the current coroutine: they carry its context to interceptors such as
 * [asClientInterceptor], and have the deadline of the [withDeadline] around it, as [Channel.unary] does
 * by itself.
 *
 * ```
 * withDeadline(20.seconds) { stub.withCallerContext().sayHello(request) }
 * ```
 *
 * The deadline is fixed here, so use the result at once and do not keep it.
 */
public suspend fun <S : AbstractStub<S>> S.withCallerContext(): S {
    val context = currentCoroutineContext()
    val deadline = context.earliest(callOptions.deadline)
    return withOption(CALLER_CONTEXT, context).withDeadline(deadline)
}

/**
 * The calling half of this propagator: has it write what should travel into the headers of each call.
 * Calls of no known coroutine, such as those of blocking stubs, give it an empty context.
 */
public fun ContextPropagator.asClientInterceptor(): ClientInterceptor = PropagatingInterceptor(this)

private class PropagatingInterceptor(
    private val propagator: ContextPropagator,
) : ClientInterceptor {
    override fun <Q, R> interceptCall(
        method: MethodDescriptor<Q, R>,
        options: CallOptions,
        next: Channel,
    ): ClientCall<Q, R> {
        val context = options.getOption(CALLER_CONTEXT) ?: EmptyCoroutineContext
        return object : SimpleForwardingClientCall<Q, R>(next.newCall(method, options)) {
            override fun start(
                responseListener: Listener<R>,
                headers: Metadata,
            ) {
                propagator.inject(context, headers)
                super.start(responseListener, headers)
            }
        }
    }
}
