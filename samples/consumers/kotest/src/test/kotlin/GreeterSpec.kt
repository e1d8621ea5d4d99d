package consumer

import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineImplBase
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineStub
import io.grpcstream.greeter.HelloReply
import io.grpcstream.greeter.HelloRequest
import io.grpcstream.greeter.helloReply
import io.grpcstream.greeter.helloRequest
import io.grpcstream.kotest.PeersExtension
import io.grpcstream.kotest.withPeers
import io.grpcstream.kotlin.currentPeer
import io.grpcstream.kotlin.grpcStream
import io.kotest.core.extensions.install
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.async

private class Greeter : GreeterCoroutineImplBase() {
    override suspend fun sayHello(request: HelloRequest): HelloReply =
        helloReply { message = "Hello, ${request.name} at ${currentPeer().peerId()}" }
}

class GreeterSpec :
    StringSpec({
        val (alice, bob) = install(PeersExtension(2) { grpc { grpcStream { service(Greeter()) } } })
        val ada = helloRequest { name = "Ada" }

        "peers for a whole spec call each other" {
            GreeterCoroutineStub(alice.channelTo(bob)).sayHello(ada).message shouldBe
                "Hello, Ada at ${alice.peerId}"
            GreeterCoroutineStub(bob.channelTo(alice)).sayHello(ada).message shouldBe
                "Hello, Ada at ${bob.peerId}"
        }

        "peers for one test are there for the coroutines that it launches" {
            withPeers(3, { grpc { grpcStream { service(Greeter()) } } }) { (carol, dave, erin) ->
                val greetings =
                    listOf(carol, erin).map {
                        async { GreeterCoroutineStub(it.channelTo(dave)).sayHello(ada).message }
                    }
                greetings.map { it.await() } shouldBe
                    listOf(carol, erin).map { "Hello, Ada at ${it.peerId}" }
            }
        }
    })
