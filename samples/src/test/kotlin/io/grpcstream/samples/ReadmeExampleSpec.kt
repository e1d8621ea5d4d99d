package io.grpcstream.samples

import io.grpc.Metadata
import io.grpc.ServerCall
import io.grpc.ServerCallHandler
import io.grpc.ServerInterceptor
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
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldStartWith
import java.util.concurrent.atomic.AtomicInteger
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

        "the README's channel to replicas calls all that are well, and no others" {
            val calls = List(2) { AtomicInteger() }
            val services =
                calls.map { count ->
                    grpcStream {
                        service(Greeter())
                        health()
                        intercept(counting(count))
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
                        val greeter = GreeterCoroutineStub(channel)
                        eventually(60.seconds) {
                            greeter.sayHello(helloRequest { name = "Ada" })
                            calls.forEach { it.get() shouldBeGreaterThan 0 }
                        }
                        services[0]
                            .healthStatus()
                            .setStatus("greeter.Greeter", ServingStatus.NOT_SERVING)
                        eventually(60.seconds) {
                            val before = calls[0].get()
                            repeat(10) { greeter.sayHello(helloRequest { name = "Ada" }) }
                            calls[0].get() shouldBe before
                        }
                    }
                }
            } finally {
                replicas.forEach { it.shutdownAndAwait() }
            }
        }
    })

/** Counts the greeter's calls alone, of all that are served. */
private fun counting(calls: AtomicInteger) =
    object : ServerInterceptor {
        override fun <Q, R> interceptCall(
            call: ServerCall<Q, R>,
            headers: Metadata,
            next: ServerCallHandler<Q, R>,
        ): ServerCall.Listener<Q> {
            if (call.methodDescriptor.serviceName == "greeter.Greeter") calls.incrementAndGet()
            return next.startCall(call, headers)
        }
    }
