package io.grpcstream.samples.guide

import io.grpc.Metadata
import io.grpc.ServerCall
import io.grpc.ServerCallHandler
import io.grpc.ServerInterceptor

/** Shows each call of the greeter to [ask]. */
internal class Asking(
    private val ask: (ServerCall<*, *>) -> Unit,
) : ServerInterceptor {
    override fun <Q, R> interceptCall(
        call: ServerCall<Q, R>,
        headers: Metadata,
        next: ServerCallHandler<Q, R>,
    ): ServerCall.Listener<Q> {
        if (call.methodDescriptor.serviceName == "greeter.Greeter") ask(call)
        return next.startCall(call, headers)
    }
}
