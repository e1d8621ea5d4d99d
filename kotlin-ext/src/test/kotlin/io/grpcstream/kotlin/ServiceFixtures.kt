package io.grpcstream.kotlin

import io.grpc.Channel
import io.grpc.ManagedChannel
import io.grpcstream.greeter.GreeterGrpc
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineImplBase
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineStub
import io.grpcstream.greeter.HelloReply
import io.grpcstream.greeter.HelloRequest
import io.grpcstream.greeter.helloReply
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.toList
import kotlin.time.Duration

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
    check { stub.sayHello(request("Ada")) }
    check { stub.sayHelloStream(request("Ada")).toList().single() }
    check { stub.sayHelloMany(flowOf(request("Ada"))) }
    check { stub.chat(flowOf(request("Ada"))).toList().single() }
}
