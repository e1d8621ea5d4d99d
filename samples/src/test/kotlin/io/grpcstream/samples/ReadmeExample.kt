package io.grpcstream.samples

import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineImplBase
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineStub
import io.grpcstream.greeter.HelloReply
import io.grpcstream.greeter.HelloRequest
import io.grpcstream.greeter.helloReply
import io.grpcstream.greeter.helloRequest
import io.grpcstream.kotlin.currentPeer
import io.grpcstream.kotlin.grpcChannel
import io.grpcstream.kotlin.grpcStream
import io.grpcstream.kotlin.serveIn
import io.grpcstream.kotlin.shutdownAndAwait
import io.grpcstream.kotlin.startAndAwait
import io.grpcstream.kotlin.use
import io.grpcstream.libp2p.Host
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.asFlow
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.toList
import kotlin.time.Duration.Companion.seconds

// What stands between the markers stands in the README, too.
// readme: kotlin
class Greeter : GreeterCoroutineImplBase() {
    override suspend fun sayHello(request: HelloRequest): HelloReply {
        val caller = currentPeer().peerId() // proven by the handshake
        return helloReply { message = "Hello, ${request.name} at $caller" }
    }

    override fun chat(requests: Flow<HelloRequest>): Flow<HelloReply> =
        requests.map { sayHello(it) }
}

suspend fun greet(names: List<String>): List<String> =
    coroutineScope {
        val server = Host.builder().listen("/ip4/127.0.0.1/tcp/0").build()
        val client = Host.builder().build()
        try {
            server.startAndAwait()
            client.startAndAwait()

            val grpc = grpcStream { service(Greeter()) }
            server.handle("/greeter/1.0.0", grpc.handler())
            val serving = grpc.serveIn(this) // until it, or this scope, is cancelled

            val address = server.listenAddresses().first() // ends in the server's peer id
            val replies =
                client.grpcChannel(address, "/greeter/1.0.0").use { channel ->
                    val requests = names.asFlow().map { helloRequest { name = it } }
                    GreeterCoroutineStub(channel).chat(requests).toList()
                }
            serving.cancelAndJoin()
            replies.map { it.message }
        } finally {
            listOf(client, server).forEach { it.shutdownAndAwait(1.seconds) }
        }
    }
// end
