package io.grpcstream.kotest

import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineStub
import io.grpcstream.greeter.helloRequest
import io.grpcstream.kotlin.grpcStream
import io.kotest.core.extensions.install
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe

/** The examples in KDoc, which are held to what stands here. */
class ExamplesSpec :
    StringSpec({
        "peers in memory" {
            val service = Greeter()
            withPeers(configure = { grpc { grpcStream { service(service) } } }) { (alice, bob) ->
                val stub = GreeterCoroutineStub(alice.channelTo(bob))
                stub.sayHello(helloRequest { name = "Ada" }).message shouldBe "Hello, Ada!"
            }
        }

        val (alice, bob) =
            install(PeersExtension(2) { grpc { grpcStream { service(Greeter()) } } })

        "peers for a whole spec" {
            val stub = GreeterCoroutineStub(alice.channelTo(bob))
            stub.sayHello(helloRequest { name = "Ada" }).message shouldBe "Hello, Ada!"
        }
    })
