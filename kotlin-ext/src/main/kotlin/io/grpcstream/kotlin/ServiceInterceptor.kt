package io.grpcstream.kotlin

import io.grpc.Context
import io.grpc.Contexts
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener
import io.grpc.Metadata
import io.grpc.ServerCall
import io.grpc.ServerCallHandler
import io.grpc.ServerInterceptor
import io.grpc.kotlin.CoroutineContextServerInterceptor
import io.grpcstream.PeerContext
import kotlin.coroutines.CoroutineContext
import kotlin.coroutines.EmptyCoroutineContext

/**
 * Makes the [CallContext] of each call, hands the coroutine elements to the service, generated or
 * from lambdas, and turns its failures into statuses (see [ServiceCall]). It is the innermost of
 * interceptors, so that all others see the statuses that the peer gets.
 */
internal class ServiceInterceptor(
    private val contextOf: (service: String?) -> CoroutineContext = { EmptyCoroutineContext },
    private val propagators: List<ContextPropagator> = emptyList(),
    private val failures: FailureMapping = FailureMapping(),
    private val log: FailureLog = FailureLog(),
) : ServerInterceptor {
    override fun <Q, R> interceptCall(
        call: ServerCall<Q, R>,
        headers: Metadata,
        next: ServerCallHandler<Q, R>,
    ): ServerCall.Listener<Q> {
        val serviceCall = ServiceCall(call, failures, log)
        val extracted = runCatching { elements(call, headers) }
        serviceCall.context =
            CallContext(
                call.methodDescriptor,
                headers,
                PeerContext.KEY.get(),
                extracted.getOrDefault(EmptyCoroutineContext),
            ) { serviceCall.sendHeaders(Metadata()) }
        extracted.exceptionOrNull()?.let { failure ->
            val closing = closingOf(failure)
            serviceCall.close(closing.status, closing.trailers ?: Metadata())
            return object : ServerCall.Listener<Q>() {}
        }
        val context = Context.current().withValue(CallContext.KEY, serviceCall.context)
        val listener =
            Contexts.interceptCall(context, serviceCall, headers) { inner, innerHeaders ->
                ElementsForGeneratedServices.interceptCall(inner, innerHeaders, next)
            }
        return EndOfCallListener(listener, serviceCall)
    }

    private fun elements(
        call: ServerCall<*, *>,
        headers: Metadata,
    ): CoroutineContext =
        propagators.fold(contextOf(call.methodDescriptor.serviceName)) { elements, propagator ->
            elements + propagator.extract(headers)
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

/** The one way that grpc-kotlin offers to give elements to the coroutines of generated services. */
private object ElementsForGeneratedServices : CoroutineContextServerInterceptor() {
    override fun coroutineContext(
        call: ServerCall<*, *>,
        headers: Metadata,
    ): CoroutineContext = CallContext.KEY.get().coroutineContext
}
