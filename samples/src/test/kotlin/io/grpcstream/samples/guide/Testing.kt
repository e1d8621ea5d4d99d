package io.grpcstream.samples.guide

import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineStub
import io.grpcstream.greeter.helloRequest
import io.grpcstream.kotest.PeersExtension
import io.grpcstream.kotest.withPeers
import io.grpcstream.kotlin.grpcStream
import io.grpcstream.libp2p.Limits
import io.kotest.core.extensions.install
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.shouldBe

// guide: testing/one
class GreeterSpec :
    StringSpec({
        "a peer greets another one" {
            withPeers(configure = { grpc { grpcStream { service(Greeter()) } } }) { (alice, bob) ->
                val greeter = GreeterCoroutineStub(alice.channelTo(bob))
                greeter.sayHello(helloRequest { name = "Bob" }).message shouldBe "Hello, Bob!"
            }
        }
    })
// end

// guide: testing/spec
class GreetersSpec :
    StringSpec({
        val (alice, bob, carol) =
            install(PeersExtension(3) { grpc { grpcStream { service(Greeter()) } } })

        "peers for a whole spec" {
            for (other in listOf(bob, carol)) {
                val greeter = GreeterCoroutineStub(alice.channelTo(other))
                greeter.sayHello(helloRequest { name = "Ada" }).message shouldBe "Hello, Ada!"
            }
            alice.host.connections() shouldHaveSize 2
        }
    })
// end

// guide: testing/options
suspend fun peersThatDiffer() {
    withPeers(
        count = 2,
        configure = {
            protocol = "/greeter/1.0.0"
            host { limits(Limits.builder().connections(10).build()) }
            grpc { index -> if (index == 1) grpcStream { service(Greeter()) } else null }
        },
    ) { (caller, server) ->
        val greeter = GreeterCoroutineStub(caller.channelTo(server))
        greeter.sayHello(helloRequest { name = "Ada" }).message shouldBe "Hello, Ada!"
    }
}
// end
