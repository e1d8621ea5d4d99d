// guide: getting-started/client
package io.grpcstream.samples.guide

import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineStub
import io.grpcstream.greeter.helloRequest
import io.grpcstream.kotlin.withDeadline
import io.grpcstream.kotlin.withGrpcPeer
import kotlin.time.Duration.Companion.seconds

suspend fun main(args: Array<String>) {
    withGrpcPeer({ }) { peer ->
        val greeter = GreeterCoroutineStub(peer.channel("libp2p:${args.single()}"))
        val reply = withDeadline(20.seconds) { greeter.sayHello(helloRequest { name = "Ada" }) }
        println(reply.message)
    }
}
