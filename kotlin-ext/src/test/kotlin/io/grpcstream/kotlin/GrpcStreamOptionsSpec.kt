package io.grpcstream.kotlin

import io.grpc.ManagedChannel
import io.grpc.Status.Code
import io.grpc.StatusException
import io.grpc.health.v1.HealthCheckRequest
import io.grpc.health.v1.HealthCheckResponse.ServingStatus
import io.grpc.health.v1.HealthGrpc
import io.grpc.reflection.v1.ServerReflectionGrpc
import io.grpc.reflection.v1.ServerReflectionRequest
import io.grpcstream.CallLimits
import io.grpcstream.GrpcStream
import io.grpcstream.libp2p.Libp2pException
import io.grpcstream.libp2p.PeerId
import io.grpcstream.libp2p.Refusal
import io.grpcstream.libp2p.Stream
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.throwables.shouldThrowAny
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldContainAll
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.netty.buffer.Unpooled
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.flowOf
import java.util.concurrent.ConcurrentLinkedQueue
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.toJavaDuration

/** What the options of [grpcStream] that are no services do to those who call. */
class GrpcStreamOptionsSpec :
    StringSpec({
        timeout = 60_000

        "a peer that authorize refuses may call nothing, while others go on" {
            lateinit var stranger: PeerId
            val asked = ConcurrentLinkedQueue<Pair<PeerId, String>>()
            serving({
                service(GreetingService())
                authorize { peer, protocol ->
                    asked += peer to protocol
                    peer != stranger
                }
            }) { server, mallory, bob ->
                stranger = mallory.peerId
                val denied = mallory.channelTo(server)
                repeat(2) {
                    val failure = shouldThrow<StatusException> { denied.greet("Eve") }
                    failure.status.code shouldBe Code.PERMISSION_DENIED
                    failure.status.description shouldContain "${mallory.peerId}"
                    bob.channelTo(server).greet("Bob") shouldBe "Hello, Bob!"
                }
                asked.toSet() shouldBe
                    setOf(mallory.peerId to PROTOCOL, bob.peerId to PROTOCOL)
            }
        }

        "refused peers that send garbage on many streams hold none of them and harm nobody" {
            lateinit var stranger: PeerId
            serving({
                service(GreetingService())
                authorize { peer, _ -> peer != stranger }
            }) { server, mallory, bob ->
                stranger = mallory.peerId
                val channel = bob.channelTo(server)
                repeat(50) {
                    val stream = mallory.open(server)
                    val garbage = Unpooled.wrappedBuffer(ByteArray(10_000) { 'x'.code.toByte() })
                    stream.channel().writeAndFlush(garbage)
                    stream.awaitClosed()
                }
                channel.greet("Bob") shouldBe "Hello, Bob!"
                eventually(10.seconds) { server.host.stats().inboundStreams shouldBe 1 }
            }
        }

        "an authorize that fails lets nobody in, and asks again for the next stream" {
            var broken = true
            serving({
                service(GreetingService())
                authorize { _, _ -> !broken || error("the list of friends cannot be read") }
            }) { server, alice, _ ->
                codeOf { alice.channelTo(server).greet("Ada") } shouldBe Code.UNAVAILABLE
                broken = false
                alice.channelTo(server).greet("Ada") shouldBe "Hello, Ada!"
            }
        }

        "health answers for the whole and for what the stream's status names" {
            serving({ health() }) { server, alice, _ ->
                val channel = alice.channelTo(server)
                channel.health("") shouldBe ServingStatus.SERVING
                shouldThrow<StatusException> { channel.health(GREETER) }.status.code shouldBe
                    Code.NOT_FOUND
                val status = checkNotNull(server.grpc).healthStatus()
                status.setStatus(GREETER, ServingStatus.NOT_SERVING)
                channel.health(GREETER) shouldBe ServingStatus.NOT_SERVING
                channel.health("") shouldBe ServingStatus.SERVING
            }
        }

        "without health there is no health service" {
            serving({ service(GreetingService()) }) { server, alice, _ ->
                val channel = alice.channelTo(server)
                shouldThrow<StatusException> { channel.health("") }.status.code shouldBe
                    Code.UNIMPLEMENTED
                shouldThrow<IllegalStateException> { checkNotNull(server.grpc).healthStatus() }
            }
        }

        bothKinds { reply(it.name) }.forEach { (kind, service) ->
            "reflection lists services $kind" {
                serving({
                    reflection()
                    service()
                }) { server, alice, _ ->
                    alice.channelTo(server).services() shouldContainAll listOf(GREETER, REFLECTION)
                }
            }
        }

        "reflection lists services that are registered later" {
            serving({ reflection() }) { server, alice, _ ->
                val late = grpcService(GREETER) { allKinds { reply(it.name) } }
                checkNotNull(server.grpc).registerService(late)
                alice.channelTo(server).services() shouldContainAll listOf(GREETER, REFLECTION)
            }
        }

        "no more streams than the backlog wait; those beyond it are reset" {
            serving({
                service(GreetingService())
                backlog = 2
            }, serve = false) { server, alice, _ ->
                val waiting = List(2) { alice.channelTo(server) }
                // The streams of one connection come in the order in which they were opened.
                codeOf { alice.channelTo(server).greet("Ada") } shouldBe Code.UNAVAILABLE
                repeat(2) { checkNotNull(server.grpc).awaitConnection().serve() }
                waiting.forEach { it.greet("Ada") shouldBe "Hello, Ada!" }
            }
        }

        "a stream on which HTTP/2 does not begin is reset after the stallTimeout of callLimits" {
            serving({
                val timeout = 50.milliseconds.toJavaDuration()
                callLimits = CallLimits.builder().stallTimeout(timeout).build()
            }) { server, alice, _ ->
                awaitReset { alice.open(server) }
                server.host.stats().refusals(Refusal.STALLED) shouldBe 1
            }
        }

        "a stream that nobody accepts is reset after the backlogTimeout" {
            serving({ backlogTimeout = 50.milliseconds }, serve = false) { server, alice, _ ->
                awaitReset { alice.open(server) }
                eventually(10.seconds) { server.host.stats().inboundStreams shouldBe 0 }
            }
        }

        "configure comes after all other options, in its order" {
            val limit = 100
            serving({
                configure { backlog(1) }
                configure { configureServer { it.maxInboundMessageSize(limit) } }
                service(GreetingService())
                backlog = 64
            }, serve = false) { server, alice, _ ->
                val channel = alice.channelTo(server)
                codeOf { alice.channelTo(server).greet("Ada") } shouldBe Code.UNAVAILABLE
                checkNotNull(server.grpc).awaitConnection().serve()
                channel.greet("Ada") shouldBe "Hello, Ada!"
                codeOf { channel.greet("A".repeat(limit)) } shouldBe Code.RESOURCE_EXHAUSTED
            }
        }
    })

/** Runs [test] with a peer that serves what [configure] sets up, and two that call it. */
private suspend fun serving(
    configure: GrpcStreamBuilder.() -> Unit,
    serve: Boolean = true,
    test: suspend (server: TestPeer, TestPeer, TestPeer) -> Unit,
) {
    val grpc = grpcStream(configure)
    if (serve) grpc.serve()
    val peers = listOf(TestPeer(grpc), TestPeer(null), TestPeer(null))
    try {
        peers.forEach { it.start() }
        test(peers[0], peers[1], peers[2])
    } finally {
        peers.forEach { it.end() }
    }
}

/** Waits until the stream that [open] opens is reset; the reset can come while it is opened. */
private suspend fun awaitReset(open: suspend () -> Stream) {
    val stream =
        try {
            open()
        } catch (early: Libp2pException) {
            early.message shouldContain "reset"
            return
        }
    stream.channel().read()
    stream.awaitClosed()
}

/** The code with which [call] fails; the reset of a stream can come while it is opened. */
private suspend fun codeOf(call: suspend () -> Unit): Code =
    GrpcStream.statusOf(shouldThrowAny { call() }).code

private const val REFLECTION = ServerReflectionGrpc.SERVICE_NAME

private suspend fun ManagedChannel.services(): List<String> {
    val request = ServerReflectionRequest.newBuilder().setListServices("").build()
    val replies =
        bidiStreaming(ServerReflectionGrpc.getServerReflectionInfoMethod(), flowOf(request))
    return replies
        .first()
        .listServicesResponse.serviceList
        .map { it.name }
}

private suspend fun ManagedChannel.health(service: String): ServingStatus =
    unary(
        HealthGrpc.getCheckMethod(),
        HealthCheckRequest.newBuilder().setService(service).build(),
    ).status
