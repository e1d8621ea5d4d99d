package io.grpcstream.samples.peercurl

import com.google.gson.JsonObject
import io.grpc.CallOptions
import io.grpc.Channel
import io.grpc.ClientCall
import io.grpc.ClientInterceptor
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener
import io.grpc.Grpc
import io.grpc.Metadata
import io.grpc.MethodDescriptor
import io.grpc.Status
import java.util.Base64

/** Tells, with -v, what goes with the messages of a call: the peer, headers, trailers, the status. */
internal class CallLog(
    private val console: Console,
) : ClientInterceptor {
    @Volatile private var end: Pair<Status, Metadata>? = null

    override fun <Q, R> interceptCall(
        method: MethodDescriptor<Q, R>,
        options: CallOptions,
        next: Channel,
    ): ClientCall<Q, R> {
        if (!console.verbose) return next.newCall(method, options)
        return object : SimpleForwardingClientCall<Q, R>(next.newCall(method, options)) {
            override fun start(
                listener: Listener<R>,
                headers: Metadata,
            ) {
                val kind =
                    method.type.name
                        .lowercase()
                        .replace('_', ' ')
                if (console.json) {
                    json("request", headers) { addProperty("method", method.fullMethodName) }
                } else {
                    console.note("> ${method.fullMethodName} ($kind)")
                    show(">", headers)
                }
                val call = delegate()
                super.start(
                    object : SimpleForwardingClientCallListener<R>(listener) {
                        override fun onHeaders(received: Metadata) {
                            val peer = call.attributes.get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR)
                            if (console.json) {
                                json("headers", received) { addProperty("peer", peer.toString()) }
                            } else {
                                console.note("* $peer")
                                show("<", received)
                            }
                            super.onHeaders(received)
                        }

                        override fun onClose(
                            status: Status,
                            trailers: Metadata,
                        ) {
                            end = status to trailers
                            super.onClose(status, trailers)
                        }
                    },
                    headers,
                )
            }
        }
    }

    /** All responses are printed: what came after them is next. */
    fun ended() {
        val (status, trailers) = end ?: return
        if (console.json) {
            json("trailers", trailers) { addProperty("status", status.code.name) }
        } else {
            console.note("< ${status.code}")
            show("<", trailers)
        }
    }

    private fun show(
        mark: String,
        headers: Metadata,
    ) {
        each(
            headers,
        ) { name, value ->
            console.note(
                "$mark ${console.errStyle.name(plainLine(name))}: ${plainLine(value)}",
            )
        }
    }

    private fun json(
        name: String,
        headers: Metadata,
        add: JsonObject.() -> Unit,
    ) {
        val values = JsonObject()
        each(headers) { key, value ->
            val all =
                values.getAsJsonArray(key)
                    ?: com.google.gson
                        .JsonArray()
                        .also { values.add(key, it) }
            all.add(value)
        }
        val line = JsonObject()
        line.add(name, values)
        line.add()
        console.note(line.toString())
    }

    private fun each(
        headers: Metadata,
        tell: (String, String) -> Unit,
    ) {
        for (name in headers.keys().sorted()) {
            if (!NAME.matches(name)) {
                tell(name, "a name that gRPC does not have")
                continue
            }
            if (name.endsWith(Metadata.BINARY_HEADER_SUFFIX)) {
                val key = Metadata.Key.of(name, Metadata.BINARY_BYTE_MARSHALLER)
                headers.getAll(key)?.forEach { tell(name, Base64.getEncoder().encodeToString(it)) }
            } else {
                val key = Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER)
                headers.getAll(key)?.forEach { tell(name, it) }
            }
        }
    }

    private companion object {
        /** Names of metadata, as gRPC defines them; a peer may send others. */
        val NAME = Regex("[0-9a-z_.-]+")
    }
}
