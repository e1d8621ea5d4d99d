package io.grpcstream.kotlin

import io.grpc.ForwardingServerCall.SimpleForwardingServerCall
import io.grpc.Metadata
import io.grpc.ServerCall
import io.grpc.ServerCallHandler
import io.grpc.ServerInterceptor
import io.grpc.Status

/** An interceptor as users write them: it sees what services send, and does something of its own. */
internal class ServerTap(
    private val onHeaders: (Metadata) -> Unit = {},
    private val onMessage: (ServerCall<*, *>) -> Unit = {},
    private val onClose: (Status, Metadata) -> Unit = { _, _ -> },
    private val afterClose: () -> Unit = {},
) : ServerInterceptor {
    override fun <Q, R> interceptCall(
        call: ServerCall<Q, R>,
        headers: Metadata,
        next: ServerCallHandler<Q, R>,
    ): ServerCall.Listener<Q> = next.startCall(Tapped(call), headers)

    private inner class Tapped<Q, R>(
        call: ServerCall<Q, R>,
    ) : SimpleForwardingServerCall<Q, R>(call) {
        override fun sendHeaders(headers: Metadata) {
            onHeaders(headers)
            super.sendHeaders(headers)
        }

        override fun sendMessage(message: R) {
            onMessage(delegate())
            super.sendMessage(message)
        }

        override fun close(
            status: Status,
            trailers: Metadata,
        ) {
            onClose(status, trailers)
            super.close(status, trailers)
            afterClose()
        }
    }
}
