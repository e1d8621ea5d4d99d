package io.grpcstream.samples.greeter.coroutines

import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineStub
import io.grpcstream.greeter.helloRequest
import io.grpcstream.kotest.withPeers
import io.grpcstream.kotlin.grpcStream
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.flow.asFlow
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.toList

/** A service tried by peers in memory. */
class GreeterServiceSpec :
    StringSpec({
        "it answers all four kinds of calls" {
            withPeers(configure = { grpc { grpcStream { service(GreeterService()) } } }) { peers ->
                val (alice, bob) = peers
                val greeter = GreeterCoroutineStub(alice.channelTo(bob))
                val requests = listOf("Ada", "Grace").map { helloRequest { name = it } }

                greeter.sayHello(requests[0]).message shouldBe "Hello, Ada!"
                greeter.sayHelloStream(requests[0]).map { it.message }.toList() shouldContainExactly
                    listOf("Hello, Ada!", "Bonjour, Ada!", "Hej, Ada!")
                greeter.sayHelloMany(requests.asFlow()).message shouldBe "Hello, Ada and Grace!"
                greeter.chat(requests.asFlow()).map { it.message }.toList() shouldContainExactly
                    listOf("Hello, Ada!", "Hello, Grace!")
            }
        }
    })
