package io.grpcstream.kotlin

import io.grpc.ManagedChannel
import io.grpc.ServerInterceptor
import io.grpc.ServerServiceDefinition
import io.grpcstream.GrpcStream
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineImplBase
import io.grpcstream.greeter.HelloReply
import io.grpcstream.greeter.HelloRequest
import io.grpcstream.greeter.helloRequest
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.toList
import kotlin.time.Duration

internal fun request(name: String): HelloRequest = helloRequest { this.name = name }

internal fun greet(request: HelloRequest): HelloReply = reply("Hello, ${request.name}!")

/** A generated service whose every method does what its property says. */
internal open class ScriptedGreeter : GreeterCoroutineImplBase() {
    var unary: suspend (HelloRequest) -> HelloReply = ::greet
    var serverStreaming: (HelloRequest) -> Flow<HelloReply> = { request ->
        flow { repeat(3) { emit(reply("${request.name} $it")) } }
    }
    var clientStreaming: suspend (Flow<HelloRequest>) -> HelloReply = { requests ->
        reply(requests.map { it.name }.toList().joinToString())
    }
    var bidiStreaming: (Flow<HelloRequest>) -> Flow<HelloReply> = { it.map(::greet) }

    override suspend fun sayHello(request: HelloRequest) = unary(request)

    override fun sayHelloStream(request: HelloRequest) = serverStreaming(request)

    override suspend fun sayHelloMany(requests: Flow<HelloRequest>) = clientStreaming(requests)

    override fun chat(requests: Flow<HelloRequest>) = bidiStreaming(requests)
}

/** A service that answers nothing, and says when a call has come and when it was cancelled. */
internal class SilentGreeter : ScriptedGreeter() {
    val called = CompletableDeferred<Unit>()
    val cancelled = CompletableDeferred<Unit>()

    private suspend fun hang(): Nothing {
        called.complete(Unit)
        try {
            awaitCancellation()
        } finally {
            cancelled.complete(Unit)
        }
    }

    init {
        unary = { hang() }
        serverStreaming = { flow { hang() } }
        clientStreaming = { hang() }
        bidiStreaming = { flow { hang() } }
    }
}

/** Runs [test] with a channel to a peer that serves [greeter]. */
internal suspend fun calling(
    greeter: GreeterCoroutineImplBase = ScriptedGreeter(),
    vararg interceptors: ServerInterceptor,
    test: suspend (ManagedChannel) -> Unit,
) = callingService(greeter.bindService(), *interceptors, test = test)

/** Runs [test] with a channel to a peer that serves [service]. */
internal suspend fun callingService(
    service: ServerServiceDefinition,
    vararg interceptors: ServerInterceptor,
    test: suspend (ManagedChannel) -> Unit,
) {
    val builder = GrpcStream.builder().addService(service)
    interceptors.forEach(builder::intercept)
    val grpc = builder.build().serve()
    twoHosts { dialer, listener ->
        listener.handle(PROTOCOL, grpc.handler())
        dialer.grpcChannel(listener.listenAddresses().first(), PROTOCOL).use { test(it) }
    }
    grpc.shutdownAndAwait(Duration.ZERO)
}
