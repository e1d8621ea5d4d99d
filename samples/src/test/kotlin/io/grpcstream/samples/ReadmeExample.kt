package io.grpcstream.samples

import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineImplBase
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineStub
import io.grpcstream.greeter.HelloReply
import io.grpcstream.greeter.HelloRequest
import io.grpcstream.greeter.helloReply
import io.grpcstream.greeter.helloRequest
import io.grpcstream.kotlin.currentPeer
import io.grpcstream.kotlin.withGrpcPeer
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.asFlow
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.toList

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
    withGrpcPeer({
        listen("/ip4/127.0.0.1/tcp/0")
        serve { service(Greeter()) }
    }) { server ->
        withGrpcPeer({ }) { client ->
            val target = "libp2p:${server.addresses().first()}" // ends in the server's peer id
            val requests = names.asFlow().map { helloRequest { name = it } }
            GreeterCoroutineStub(client.channel(target)).chat(requests).toList().map { it.message }
        }
    }
// end
