package io.grpcstream.samples.guide

import io.grpc.Metadata
import io.grpc.ServerStreamTracer
import io.grpc.Status.Code
import io.grpc.health.v1.HealthCheckRequest
import io.grpc.health.v1.HealthCheckResponse.ServingStatus
import io.grpc.health.v1.HealthGrpc
import io.grpc.reflection.v1.ServerReflectionGrpc
import io.grpc.reflection.v1.ServerReflectionRequest
import io.grpcstream.GrpcPeer
import io.grpcstream.PeerAddress
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineStub
import io.grpcstream.kotlin.bidiStreaming
import io.grpcstream.kotlin.grpcStream
import io.grpcstream.kotlin.unary
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldContainAll
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.flow.single
import java.util.concurrent.ConcurrentLinkedQueue

class GuideServersSpec :
    StringSpec({
        timeout = 120_000

        fun GrpcPeer.greeter(
            other: GrpcPeer,
            protocol: String,
        ) = GreeterCoroutineStub(channel("${other.target}?protocol=$protocol"))

        "a peer may serve several protocols, in Kotlin and in Java" {
            guidePeers {
                val tools = grpcStream { service(Greeter()) }
                val inKotlin = start(peerOfTwoProtocols(Greeter(), Greeter(), tools))
                val inJava =
                    start(Servers.peerOfTwoProtocols(Services.Greeter(), Services.Greeter()))
                val caller = calling()
                for (server in listOf(inKotlin, inJava)) {
                    for (protocol in listOf("/greeter/1.0.0", "/internal/1.0.0")) {
                        val greeter = caller.greeter(server, protocol)
                        greeter.sayHello(hello("Ada")).message shouldBe "Hello, Ada!"
                    }
                }
                caller.greeter(inKotlin, "/tools/1.0.0").sayHello(hello("Ada")).message shouldBe
                    "Hello, Ada!"
                statusOf { caller.greeterAt(inKotlin).sayHello(hello("Ada")) }.code shouldBe
                    Code.UNAVAILABLE
            }
        }

        "health, reflection and channelz are there if they are asked for, in Kotlin and in Java" {
            guidePeers {
                val caller = calling()
                for (grpc in listOf(
                    inspectable(Greeter()),
                    Servers.inspectable(Services.Greeter()),
                )) {
                    val channel = caller.channel(serving(grpc).target)

                    suspend fun health(service: String) =
                        channel
                            .unary(
                                HealthGrpc.getCheckMethod(),
                                HealthCheckRequest.newBuilder().setService(service).build(),
                            ).status
                    health("") shouldBe ServingStatus.SERVING
                    health("greeter.Greeter") shouldBe ServingStatus.SERVING
                    drain(grpc)
                    Servers.drain(grpc)
                    health("greeter.Greeter") shouldBe ServingStatus.NOT_SERVING
                    val list = ServerReflectionRequest.newBuilder().setListServices("").build()
                    channel
                        .bidiStreaming(
                            ServerReflectionGrpc.getServerReflectionInfoMethod(),
                            flowOf(list),
                        ).single()
                        .listServicesResponse.serviceList
                        .map { it.name }
                        .shouldContainAll("greeter.Greeter", "grpc.channelz.v1.Channelz")
                }
            }
        }

        "interceptors know who calls what" {
            guidePeers {
                val seen = ConcurrentLinkedQueue<String>()
                val caller = calling()
                caller.greeterAt(serving(audited(Greeter()) { seen += it })).sayHello(hello("Ada"))
                seen.shouldContainExactly("${caller.peerId()} calls greeter.Greeter/SayHello")
            }
        }

        "a server for code that takes a ServerBuilder, in Kotlin and in Java" {
            guidePeers {
                val peer = peer { }
                val caller = calling()
                val callers = ConcurrentLinkedQueue<Any?>()
                val traced = ConcurrentLinkedQueue<String>()
                val tracers = Tracing { traced += it }
                for (
                start in
                listOf(
                    { serverOf(peer.host(), Greeter(), tracers) },
                    { Servers.serverOf(peer.host(), Services.Greeter(), callers::add) },
                )
                ) {
                    val server = start()
                    val greeter = caller.greeter(peer, "/greeter/1.0.0")
                    greeter.sayHello(hello("Ada")).message shouldBe "Hello, Ada!"
                    (server.listenSockets.first() as PeerAddress).peerId() shouldBe peer.peerId()
                    blocking { server.shutdownNow().awaitTermination() }
                    peer.host().protocols().contains("/greeter/1.0.0") shouldBe false
                }
                traced.shouldContainExactly("greeter.Greeter/SayHello")
                callers.map { (it as PeerAddress).peerId() }.shouldContainExactly(caller.peerId())
            }
        }
    })

private class Tracing(
    private val seen: (String) -> Unit,
) : ServerStreamTracer.Factory() {
    override fun newServerStreamTracer(
        method: String,
        headers: Metadata,
    ): ServerStreamTracer {
        seen(method)
        return object : ServerStreamTracer() {}
    }
}
