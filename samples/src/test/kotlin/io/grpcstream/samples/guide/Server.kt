// guide: getting-started/server
package io.grpcstream.samples.guide

import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineImplBase
import io.grpcstream.greeter.HelloReply
import io.grpcstream.greeter.HelloRequest
import io.grpcstream.greeter.helloReply
import io.grpcstream.kotlin.currentPeer
import io.grpcstream.kotlin.withGrpcPeer
import kotlinx.coroutines.awaitCancellation

class HelloService : GreeterCoroutineImplBase() {
    override suspend fun sayHello(request: HelloRequest): HelloReply {
        val caller = currentPeer().peerId() // proven by the handshake
        return helloReply { message = "Hello, ${request.name} at $caller" }
    }
}

suspend fun main(args: Array<String>) {
    withGrpcPeer({
        listen(args.firstOrNull() ?: "/ip4/127.0.0.1/tcp/4001")
        serve { service(HelloService()) }
    }) { peer ->
        println("serving at ${peer.addresses().first()}")
        awaitCancellation()
    }
}
