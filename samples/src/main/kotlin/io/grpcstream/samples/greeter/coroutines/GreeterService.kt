package io.grpcstream.samples.greeter.coroutines

import io.grpcstream.PeerContext
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineImplBase
import io.grpcstream.greeter.HelloReply
import io.grpcstream.greeter.HelloRequest
import io.grpcstream.greeter.helloReply
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.asFlow
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.toList

/** An ordinary coroutine service; that its callers are libp2p peers shows only where it asks who calls. */
class GreeterService : GreeterCoroutineImplBase() {
    override suspend fun sayHello(request: HelloRequest): HelloReply {
        announce("SayHello")
        return greeting("Hello", request.name)
    }

    override fun sayHelloStream(request: HelloRequest): Flow<HelloReply> {
        announce("SayHelloStream")
        return GREETINGS.asFlow().map { greeting(it, request.name) }
    }

    override suspend fun sayHelloMany(requests: Flow<HelloRequest>): HelloReply {
        announce("SayHelloMany")
        return greeting("Hello", requests.map { it.name }.toList().joinToString(" and "))
    }

    override fun chat(requests: Flow<HelloRequest>): Flow<HelloReply> {
        announce("Chat")
        return requests.map { greeting("Hello", it.name) }
    }

    /** Says who calls: the peer id that the caller proved in the handshake of its connection. */
    private fun announce(method: String) {
        println("${method.padEnd(14)}  called by ${PeerContext.current().peerId()}")
    }

    private fun greeting(
        word: String,
        name: String,
    ): HelloReply = helloReply { message = "$word, $name!" }

    private companion object {
        val GREETINGS = listOf("Hello", "Bonjour", "Hej")
    }
}
