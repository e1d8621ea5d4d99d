package io.grpcstream.samples

import io.grpcstream.GrpcStream
import io.grpcstream.PeerContext
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineImplBase
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineStub
import io.grpcstream.greeter.HelloReply
import io.grpcstream.greeter.HelloRequest
import io.grpcstream.greeter.helloReply
import io.grpcstream.greeter.helloRequest
import io.grpcstream.kotlin.grpcChannel
import io.grpcstream.kotlin.open
import io.grpcstream.kotlin.startAndAwait
import io.grpcstream.libp2p.Host
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.asFlow
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.toList

// What stands between the markers stands in the README, too.
// readme: kotlin
class Greeter : GreeterCoroutineImplBase() {
    override suspend fun sayHello(request: HelloRequest): HelloReply {
        val caller = PeerContext.current().peerId() // proven by the handshake
        return helloReply { message = "Hello, ${request.name} at $caller" }
    }

    override fun chat(requests: Flow<HelloRequest>): Flow<HelloReply> =
        requests.map { sayHello(it) }
}

suspend fun greet(names: List<String>): List<String> {
    val grpc = GrpcStream.create().registerService(Greeter()).serve()
    val server = Host.builder().listen("/ip4/127.0.0.1/tcp/0").build()
    val client = Host.builder().build()
    server.handle("/greeter/1.0.0", grpc.handler())
    try {
        server.startAndAwait()
        client.startAndAwait()

        val address = server.listenAddresses().first() // ends in the server's peer id
        val channel = client.open(address, "/greeter/1.0.0").grpcChannel()
        val requests = names.asFlow().map { helloRequest { name = it } }
        val replies = GreeterCoroutineStub(channel).chat(requests).toList()
        channel.shutdown() // and with it the stream
        return replies.map { it.message }
    } finally {
        listOf(client, grpc, server).forEach { it.close() }
    }
}
// end
