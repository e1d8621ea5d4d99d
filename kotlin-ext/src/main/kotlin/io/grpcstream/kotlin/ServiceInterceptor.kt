package io.grpcstream.kotlin

import io.grpc.Context
import io.grpc.Contexts
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener
import io.grpc.Metadata
import io.grpc.ServerCall
import io.grpc.ServerCallHandler
import io.grpc.ServerInterceptor
import io.grpc.Status
import io.grpc.kotlin.CoroutineContextServerInterceptor
import io.grpcstream.CallScope
import io.grpcstream.FailureInterceptor
import io.grpcstream.PeerContext
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.ensureActive
import kotlin.coroutines.CoroutineContext
import kotlin.coroutines.EmptyCoroutineContext

/**
 * Makes the [CallContext] of each call, hands the coroutine elements to the service, generated or
 * from lambdas, and turns its failures into statuses (see [FailureInterceptor]). It is the innermost of
 * interceptors, so that all others see the statuses that the peer gets.
 */
internal class ServiceInterceptor(
    private val contextOf: (service: String?) -> CoroutineContext = { EmptyCoroutineContext },
    private val propagators: List<ContextPropagator> = emptyList(),
    private val failures: FailureInterceptor = coroutineFailures(),
) : ServerInterceptor {
    override fun <Q, R> interceptCall(
        call: ServerCall<Q, R>,
        headers: Metadata,
        next: ServerCallHandler<Q, R>,
    ): ServerCall.Listener<Q> {
        val serviceCall = ServiceCall(call)
        val extracted = runCatching { elements(call, headers).also { it.ensureActive() } }
        serviceCall.context =
            CallContext(
                call.methodDescriptor,
                headers,
                PeerContext.KEY.get(),
                extracted.getOrDefault(EmptyCoroutineContext),
                serviceCall,
            )
        extracted.exceptionOrNull()?.let { failure ->
            val closing = closingOf(failure)
            serviceCall.close(closing.status, closing.trailers ?: Metadata())
            return object : ServerCall.Listener<Q>() {}
        }
        val listener =
            failures.interceptCall(serviceCall, headers) { failing, _ ->
                if (next is CoroutineHandler<Q, R>) { // Needs none of the detours that others do.
                    next.start(failing, serviceCall.context)
                } else {
                    startOther(serviceCall, failing, headers, next)
                }
            }
        return EndOfCallListener(listener, serviceCall)
    }

    private fun <Q, R> startOther(
        serviceCall: ServiceCall<Q, R>,
        call: ServerCall<Q, R>,
        headers: Metadata,
        next: ServerCallHandler<Q, R>,
    ): ServerCall.Listener<Q> {
        val context = Context.current().withValue(CallContext.KEY, serviceCall.context)
        return Contexts.interceptCall(context, call, headers) { inner, innerHeaders ->
            serviceCall.startSupervised { elements ->
                ElementsForGeneratedServices(elements).interceptCall(inner, innerHeaders, next)
            }
        }
    }

    private fun elements(
        call: ServerCall<*, *>,
        headers: Metadata,
    ): CoroutineContext {
        val elements =
            propagators.fold(contextOf(call.methodDescriptor.serviceName)) { elements, propagator ->
                elements + propagator.extract(headers)
            }
        val scope = CallScope.current() ?: return elements
        return elements + CallScopeElement(scope)
    }
}

/**
 * Cancels the service's coroutine when the call was ended by another than the service: by gRPC, which
 * could not parse a request, or by an interceptor. gRPC calls that the completion of the call.
 */
private class EndOfCallListener<Q>(
    listener: ServerCall.Listener<Q>,
    private val call: ServiceCall<*, *>,
) : SimpleForwardingServerCallListener<Q>(listener) {
    override fun onComplete() {
        if (call.isClosed) super.onComplete() else super.onCancel()
    }
}

/**
 * Starts the call with a Job of its own in place of the user's, if there is one among the elements:
 * cancelling that cancels the call, but nothing that escapes from the call's coroutine cancels the
 * user's Job, and with it other calls. The Job ends with the coroutine, which [start] must launch.
 */
private inline fun <T> ServiceCall<*, *>.startSupervised(
    start: (elements: CoroutineContext) -> T,
): T {
    val elements = context.coroutineContext
    val parent = elements[Job] ?: return start(elements)
    val job = SupervisorJob(parent)
    job.invokeOnCompletion { cause ->
        // The coroutine does not close the call if it was cancelled before it could begin.
        if (cause != null && !isClosed) close(Status.CANCELLED.withCause(cause), Metadata())
    }
    return try {
        start(elements + job)
    } finally {
        job.complete()
    }
}

/** The one way that grpc-kotlin offers to give elements to the coroutines of generated services. */
private class ElementsForGeneratedServices(
    private val elements: CoroutineContext,
) : CoroutineContextServerInterceptor() {
    override fun coroutineContext(
        call: ServerCall<*, *>,
        headers: Metadata,
    ): CoroutineContext = elements
}
