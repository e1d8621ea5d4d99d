package io.grpcstream.samples.guide

import com.google.protobuf.MessageLite
import io.grpc.CallOptions
import io.grpc.Channel
import io.grpc.ClientCall
import io.grpc.ClientInterceptor
import io.grpc.ConnectivityState
import io.grpc.ManagedChannel
import io.grpc.MethodDescriptor
import io.grpc.Status
import io.grpc.Status.Code
import io.grpc.StatusException
import io.grpc.health.v1.HealthCheckResponse.ServingStatus
import io.grpcstream.GrpcStream
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineImplBase
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineStub
import io.grpcstream.greeter.HelloReply
import io.grpcstream.greeter.HelloRequest
import io.grpcstream.greeter.helloReply
import io.grpcstream.kotlin.connectivity
import io.grpcstream.kotlin.grpcStream
import io.grpcstream.kotlin.use
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.collections.shouldNotBeEmpty
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import java.util.concurrent.CompletableFuture
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.seconds

private const val PROTOCOL = "/greeter/1.0.0"

class GuideChannelsSpec :
    StringSpec({
        timeout = 240_000

        suspend fun ManagedChannel.greet(): String =
            GreeterCoroutineStub(this).sayHello(hello("Ada")).message

        "targets name a peer by address or by id, and a peer has one channel for each" {
            guidePeers {
                val grpc = grpcStream { service(Greeter()) }
                val server =
                    peer {
                        serve(GrpcStream.PROTOCOL, grpc)
                        serve(PROTOCOL, grpc)
                    }
                val caller = calling()
                val address = server.addresses().first()
                val intercepted = CountedCalls()
                for (
                channels in
                listOf(
                    channelsTo(caller, address, server.peerId()),
                    blocking { Channels.channelsTo(caller, address, server.peerId()) },
                )
                ) {
                    channels.forEach { it.greet() shouldBe "Hello, Ada!" }
                    channels shouldBe channelsTo(caller, address, server.peerId())
                }
                for (
                channel in
                listOf(
                    channelOfItsOwn(caller.host(), server.target, intercepted),
                    Channels.channelOfItsOwn(caller.host(), server.target, intercepted),
                    channelByGrpcAlone(caller.host(), server.target),
                )
                ) {
                    channel.use { it.greet() } shouldBe "Hello, Ada!"
                }
                intercepted.calls.get() shouldBe 2
                caller.host().connections() shouldHaveSize 1
            }
        }

        "several peers are called in turn, those that report it are left out" {
            guidePeers {
                val replicas = List(2) { Replica() }
                val addresses = replicas.map { serving(it.grpc).addresses().first() }
                val host = calling().host()
                channelToAll(host, addresses).use { channel ->
                    eventually(60.seconds) {
                        channel.greet()
                        replicas.forEach { it.calls.get() shouldBeGreaterThan 2 }
                    }
                }
                for (
                channel in
                listOf(
                    channelToHealthy(host, addresses),
                    Channels.channelToReplicas(host, addresses),
                )
                ) {
                    channel.use {
                        replicas[0].reports(ServingStatus.NOT_SERVING)
                        eventually(60.seconds) {
                            val before = replicas[0].calls.get()
                            repeat(10) { channel.greet() }
                            replicas[0].calls.get() shouldBe before
                        }
                        replicas[0].reports(ServingStatus.SERVING)
                    }
                }
            }
        }

        "a peer whose calls fail gets none for a while" {
            guidePeers {
                val replicas = List(2) { Replica() }
                replicas[0].answer = { throw StatusException(Status.INTERNAL) }
                val addresses = replicas.map { serving(it.grpc).addresses().first() }
                channelToReliable(calling().host(), addresses).use { channel ->
                    eventually(60.seconds) {
                        coroutineScope {
                            repeat(100) { launch { runCatching { channel.greet() } } }
                        }
                        repeat(10) { channel.greet() } // fails while both are called
                    }
                    replicas[0].calls.get() shouldBeGreaterThan 0
                }
            }
        }

        "calls are made again by policy, in Kotlin and in Java" {
            guidePeers {
                val replica = Replica()
                val server = serving(replica.grpc)
                val host = calling().host()
                for (
                channel in
                listOf(
                    channelThatTriesAgain(host, server.target),
                    Channels.channelToReplicas(host, server.addresses().take(1)),
                )
                ) {
                    val failures = AtomicInteger(3)
                    replica.answer = {
                        if (failures.getAndDecrement() > 0) {
                            throw StatusException(Status.UNAVAILABLE)
                        }
                    }
                    channel.use { it.greet() } shouldBe "Hello, Ada!"
                    failures.get() shouldBe -1
                }
            }
        }

        "a peer that does not answer soon is not the only one that is asked" {
            guidePeers {
                val replicas = List(2) { Replica() }
                replicas[0].answer = { awaitCancellation() }
                val target =
                    replicas
                        .map {
                            serving(
                                it.grpc,
                            )
                        }.joinToString(",") { it.target.drop(7) }
                val host = calling().host()
                channelThatTriesAgain(host, "libp2p:$target", HEDGING).use { channel ->
                    awaitReady(channel)
                    eventually(60.seconds) {
                        channel.greet() shouldBe "Hello, Ada!"
                        replicas[0].calls.get() shouldBeGreaterThan 0
                    }
                }
            }
        }

        "a channel's state is told, and it can be nudged" {
            guidePeers {
                val server = serving(grpcStream { service(Greeter()) })
                val channel = calling().channel(server.target)
                channel.getState(false) shouldBe ConnectivityState.IDLE
                awaitReady(channel)
                channel.getState(false) shouldBe ConnectivityState.READY
                val ready = CompletableFuture<Unit>()
                Channels.whenReady(channel) { ready.complete(Unit) }
                blocking { ready.get() }
                nudge(channel)
                channel.connectivity().first { it == ConnectivityState.IDLE }
                channel.greet() shouldBe "Hello, Ada!"
            }
        }

        "no call fails when a server lets its connections age" {
            guidePeers {
                val server = peer { }
                val aging = agingServer(server.host(), 1.seconds).start()
                val channel = calling().channel(server.addresses().first(), PROTOCOL)
                val states = ConcurrentLinkedQueue<ConnectivityState>()
                watch(channel, states)
                eventually(60.seconds) {
                    repeat(10) { channel.greet() shouldBe "Hello, Ada!" }
                    // Over a second and a third stream.
                    states.count { it == ConnectivityState.READY } shouldBeGreaterThan 2
                }
                aging.shutdownNow()
            }
        }

        "a token goes with each call, in Kotlin and in Java" {
            guidePeers {
                val tokens = ConcurrentLinkedQueue<String>()
                val server =
                    serving(
                        grpcStream {
                            service(Greeter())
                            authorizeCalls { _, _, headers ->
                                tokens += headers[TOKEN].toString()
                                Status.OK
                            }
                        },
                    )
                val caller = calling()
                withToken(caller.greeterAt(server)) { "one" }.sayHello(hello("Ada"))
                Channels
                    .channelByGrpcAlone(caller.host(), server.target) { "two" }
                    .use { it.greet() }
                tokens.toList() shouldBe listOf("Bearer one", "Bearer two")
            }
        }

        "the binary log has the calls of a channel" {
            guidePeers {
                val server = serving(grpcStream { service(Greeter()) })
                val logged = ConcurrentLinkedQueue<MessageLite>()
                loggedChannel(calling().host(), server.target) { logged += it }.use { it.greet() }
                eventually(60.seconds) { logged.shouldNotBeEmpty() }
                logged.map { "$it" }.any { "greeter.Greeter/SayHello" in it } shouldBe true
            }
        }

        "a protocol that is not served is named" {
            guidePeers {
                val server = serving(grpcStream { service(Greeter()) })
                val channel = calling().channel("${server.target}?protocol=/other/1.0.0")
                val status = statusOf { channel.greet() }
                status.code shouldBe Code.UNAVAILABLE
                status.description shouldContain "/other/1.0.0"
            }
        }
    })

private fun watch(
    channel: ManagedChannel,
    states: ConcurrentLinkedQueue<ConnectivityState>,
) {
    val state = channel.getState(false)
    states += state
    if (state != ConnectivityState.SHUTDOWN) {
        channel.notifyWhenStateChanged(state) { watch(channel, states) }
    }
}

/** Counts the calls of a channel. */
private class CountedCalls : ClientInterceptor {
    val calls = AtomicInteger()

    override fun <Q, R> interceptCall(
        method: MethodDescriptor<Q, R>,
        options: CallOptions,
        next: Channel,
    ): ClientCall<Q, R> {
        calls.incrementAndGet()
        return next.newCall(method, options)
    }
}

/** One of several peers with the same service, that counts its calls and does as it is told. */
private class Replica : GreeterCoroutineImplBase() {
    val calls = AtomicInteger()

    @Volatile
    var answer: suspend () -> Unit = {}

    val grpc: GrpcStream =
        grpcStream {
            service(this@Replica)
            health()
        }

    fun reports(status: ServingStatus) {
        grpc.healthStatus().setStatus("greeter.Greeter", status)
    }

    override suspend fun sayHello(request: HelloRequest): HelloReply {
        calls.incrementAndGet()
        answer()
        return helloReply { message = "Hello, ${request.name}!" }
    }
}
