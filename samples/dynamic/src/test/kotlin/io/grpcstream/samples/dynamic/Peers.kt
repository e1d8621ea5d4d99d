package io.grpcstream.samples.dynamic

import io.grpc.BindableService
import io.grpc.Channel
import io.grpc.ServerServiceDefinition
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineImplBase
import io.grpcstream.greeter.HelloReply
import io.grpcstream.greeter.HelloRequest
import io.grpcstream.greeter.helloReply
import io.grpcstream.kotest.withPeers
import io.grpcstream.kotlin.GrpcStreamBuilder
import io.grpcstream.kotlin.grpcStream
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.toList

internal class Greeter : GreeterCoroutineImplBase() {
    override suspend fun sayHello(request: HelloRequest): HelloReply =
        helloReply { message = "Hello, ${request.name}!" }

    override fun sayHelloStream(request: HelloRequest): Flow<HelloReply> =
        flowOf("Hello", "Bonjour").map { helloReply { message = "$it, ${request.name}!" } }

    override suspend fun sayHelloMany(requests: Flow<HelloRequest>): HelloReply =
        helloReply { message = "Hello, ${requests.map { it.name }.toList().joinToString()}!" }

    override fun chat(requests: Flow<HelloRequest>): Flow<HelloReply> =
        requests.map { helloReply { message = "Hello, ${it.name}!" } }
}

/** A channel to a peer that serves these. */
internal suspend fun withPeer(
    vararg services: BindableService,
    configure: GrpcStreamBuilder.() -> Unit = { },
    test: suspend (Channel) -> Unit,
) = withPeers(
    configure = {
        grpc {
            grpcStream {
                services.forEach { service(it) }
                configure()
            }.serve()
        }
    },
) { (alice, bob) -> test(alice.channelTo(bob)) }

internal fun bindable(definition: ServerServiceDefinition): BindableService =
    BindableService { definition }
