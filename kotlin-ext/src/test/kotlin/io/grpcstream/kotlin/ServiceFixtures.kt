package io.grpcstream.kotlin

import io.grpc.CallOptions
import io.grpc.Channel
import io.grpc.ClientCall
import io.grpc.ClientInterceptor
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener
import io.grpc.ManagedChannel
import io.grpc.Metadata
import io.grpc.MethodDescriptor
import io.grpcstream.greeter.GreeterGrpc
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineImplBase
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineStub
import io.grpcstream.greeter.HelloReply
import io.grpcstream.greeter.HelloRequest
import io.grpcstream.greeter.helloReply
import io.grpcstream.greeter.helloRequest
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.toList
import kotlin.time.Duration

internal fun hello(name: String): HelloRequest = helloRequest { this.name = name }

internal fun reply(message: String): HelloReply = helloReply { this.message = message }

/** Serves what [configure] sets up on one peer, and runs [test] with a channel to it from another. */
internal suspend fun calling(
    configure: GrpcStreamBuilder.() -> Unit,
    test: suspend (ManagedChannel) -> Unit,
) {
    val grpc = grpcStream(configure).serve()
    try {
        twoHosts { dialer, listener ->
            listener.handle(PROTOCOL, grpc.handler())
            val channel = dialer.open(listener.listenAddresses().first(), PROTOCOL).grpcChannel()
            try {
                test(channel)
            } finally {
                channel.shutdownNow()
            }
        }
    } finally {
        grpc.shutdownAndAwait(Duration.ZERO)
    }
}

/** A generated service whose four methods do the same. */
internal fun generated(serve: suspend (HelloRequest) -> HelloReply) =
    object : GreeterCoroutineImplBase() {
        override suspend fun sayHello(request: HelloRequest) = serve(request)

        override fun sayHelloStream(request: HelloRequest) = flow { emit(serve(request)) }

        override suspend fun sayHelloMany(requests: Flow<HelloRequest>) =
            serve(requests.toList().first())

        override fun chat(requests: Flow<HelloRequest>) = requests.map(serve)
    }

/** The same, from lambdas. */
internal fun GrpcServiceBuilder.allKinds(serve: suspend (HelloRequest) -> HelloReply) {
    unary(GreeterGrpc.getSayHelloMethod(), serve)
    serverStreaming(GreeterGrpc.getSayHelloStreamMethod()) { flowOf(serve(it)) }
    clientStreaming(GreeterGrpc.getSayHelloManyMethod()) { serve(it.toList().first()) }
    bidiStreaming(GreeterGrpc.getChatMethod()) { it.map(serve) }
}

internal const val GREETER = "greeter.Greeter"

/** Both kinds of coroutine services, by name, each with [serve] as all of its methods. */
internal fun bothKinds(
    serve: suspend (HelloRequest) -> HelloReply,
): Map<String, GrpcStreamBuilder.() -> Unit> =
    mapOf(
        "generated" to { service(generated(serve)) },
        "from lambdas" to { service(GREETER) { allKinds(serve) } },
    )

/** Calls all four kinds of methods, one after another. */
internal suspend fun allCalls(
    channel: Channel,
    check: suspend (call: suspend () -> HelloReply) -> Unit,
) {
    val stub = GreeterCoroutineStub(channel)
    check { stub.sayHello(hello("Ada")) }
    check { stub.sayHelloStream(hello("Ada")).toList().single() }
    check { stub.sayHelloMany(flowOf(hello("Ada"))) }
    check { stub.chat(flowOf(hello("Ada"))).toList().single() }
}

/** Tells [onHeaders] of the response's headers as they come. */
internal class HeadersWaiter(
    private val onHeaders: (Metadata) -> Unit,
) : ClientInterceptor {
    override fun <Q, R> interceptCall(
        method: MethodDescriptor<Q, R>,
        options: CallOptions,
        next: Channel,
    ): ClientCall<Q, R> =
        object : SimpleForwardingClientCall<Q, R>(next.newCall(method, options)) {
            override fun start(
                listener: ClientCall.Listener<R>,
                headers: Metadata,
            ) = super.start(
                object : SimpleForwardingClientCallListener<R>(listener) {
                    override fun onHeaders(headers: Metadata) {
                        this@HeadersWaiter.onHeaders(headers)
                        super.onHeaders(headers)
                    }
                },
                headers,
            )
        }
}
