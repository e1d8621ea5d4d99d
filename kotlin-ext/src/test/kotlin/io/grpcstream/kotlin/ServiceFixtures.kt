package io.grpcstream.kotlin

import io.grpc.ManagedChannel
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineImplBase
import io.grpcstream.greeter.HelloReply
import io.grpcstream.greeter.HelloRequest
import io.grpcstream.greeter.helloReply
import io.grpcstream.greeter.helloRequest
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.emitAll
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
