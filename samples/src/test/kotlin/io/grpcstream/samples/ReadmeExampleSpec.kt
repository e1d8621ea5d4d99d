package io.grpcstream.samples

import io.grpc.health.v1.HealthCheckResponse.ServingStatus
import io.grpcstream.GrpcStream
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineStub
import io.grpcstream.greeter.helloRequest
import io.grpcstream.kotlin.grpcPeer
import io.grpcstream.kotlin.grpcStream
import io.grpcstream.kotlin.shutdownAndAwait
import io.grpcstream.kotlin.startAndAwait
import io.grpcstream.kotlin.use
import io.grpcstream.kotlin.withGrpcPeer
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldStartWith
import kotlin.time.Duration.Companion.seconds

class ReadmeExampleSpec :
    StringSpec({
        timeout = 120_000

        "the README's example in Kotlin greets the peer that calls, once for each name" {
            val greetings = greet(listOf("Ada", "Grace"))
            greetings.size shouldBe 2
            greetings[0] shouldStartWith "Hello, Ada at 12D3KooW"
            greetings[1] shouldStartWith "Hello, Grace at 12D3KooW"
        }

        "the README's channel to replicas calls all that are well" {
            val services =
                List(2) {
                    grpcStream {
                        service(Greeter())
                        health()
                    }
                }
            val replicas =
                services.map { service ->
                    grpcPeer {
                        listen("/ip4/127.0.0.1/tcp/0")
                        serve(GrpcStream.PROTOCOL, service)
                    }.startAndAwait()
                }
            try {
                withGrpcPeer({ }) { caller ->
                    val addresses = replicas.map { it.addresses().first() }
                    greeters(caller.host(), addresses).use { channel ->
                        suspend fun called(): Set<String> {
                            GreeterCoroutineStub(channel).sayHello(helloRequest { name = "Ada" })
                            return caller
                                .host()
                                .connections()
                                .filter { connection -> connection.streams().isNotEmpty() }
                                .map { it.remotePeer().toString() }
                                .toSet()
                        }
                        eventually(60.seconds) {
                            called() shouldContainExactlyInAnyOrder
                                replicas.map { it.peerId().toString() }
                        }
                        services[0].healthStatus().setStatus(
                            "greeter.Greeter",
                            ServingStatus.NOT_SERVING,
                        )
                        // One that is not well gets no calls, and nothing fails for it.
                        repeat(20) { called() }
                    }
                }
            } finally {
                replicas.forEach { it.shutdownAndAwait() }
            }
        }
    })
