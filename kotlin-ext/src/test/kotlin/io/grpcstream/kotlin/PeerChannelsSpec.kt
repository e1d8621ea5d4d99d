package io.grpcstream.kotlin

import io.grpc.ConnectivityState
import io.grpc.Status
import io.grpc.StatusException
import io.grpcstream.GrpcStream
import io.grpcstream.libp2p.crypto.PrivateKey
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeSameInstanceAs
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

class PeerChannelsSpec :
    StringSpec({
        timeout = 60_000

        "a peer in a block serves, calls another one, and is gone after it" {
            val host =
                withGrpcPeer({
                    listen("/memory/0")
                    serve(PROTOCOL) { service(GreetingService("Hej")) }
                }) { greeter ->
                    withGrpcPeer({ }) { caller ->
                        val channel = caller.channel(greeter.addresses().first(), PROTOCOL)
                        channel.greet("Ada") shouldBe "Hej, Ada!"
                        caller.channel(greeter.addresses().first(), PROTOCOL) shouldBeSameInstanceAs
                            channel
                        caller.channel(greeter.peerId(), PROTOCOL).greet("Bob") shouldBe "Hej, Bob!"
                        caller.host().connections() shouldHaveSize 1
                    }
                    greeter.host()
                }
            host.connections().shouldBeEmpty()
            host.listenAddresses().shouldBeEmpty()
        }

        "a block that fails or is cancelled ends its peer" {
            shouldThrow<IllegalStateException> {
                withGrpcPeer({ listen("/memory/0") }) { error("failed") }
            }.message shouldBe "failed"
            coroutineScope {
                val started = CompletableDeferred<io.grpcstream.GrpcPeer>()
                val running =
                    launch {
                        withGrpcPeer({ listen("/memory/0") }) {
                            started.complete(it)
                            CompletableDeferred<Unit>().await()
                        }
                    }
                val peer = started.await()
                running.cancelAndJoin()
                peer.closed().toCompletableFuture().isDone shouldBe true
            }
        }

        "a peer keeps its identity in a file, and speaks the default protocol where none is named" {
            val key = tempdir().toPath().resolve("peer.key")
            val id =
                withGrpcPeer({
                    identity(key)
                    listen("/memory/0")
                    serve { service(GreetingService()) }
                }) { peer ->
                    withGrpcPeer({ }) { caller ->
                        caller.channel("libp2p:${peer.addresses().first()}").greet("Ada") shouldBe
                            "Hello, Ada!"
                    }
                    peer.host().protocols().contains(GrpcStream.PROTOCOL) shouldBe true
                    peer.peerId()
                }
            grpcPeer { identity(PrivateKey.load(key)) }.peerId() shouldBe id
        }

        "the states of a channel to a peer are told as they come" {
            accepting(
                GrpcStream.create().registerService(GreetingService()).serve(),
            ) { _, dialer, listener ->
                val channel = dialer.peerChannel(listener.listenAddresses().first(), PROTOCOL)
                coroutineScope {
                    val states =
                        async(
                            start = CoroutineStart.UNDISPATCHED,
                        ) { channel.connectivity().toList() }
                    channel.greet("Ada") shouldBe "Hello, Ada!"
                    channel.connectivity().first { it == ConnectivityState.READY }
                    channel.enterIdle()
                    channel.connectivity().first { it == ConnectivityState.IDLE }
                    channel.shutdown()
                    val told = states.await()
                    told.first() shouldBe ConnectivityState.IDLE
                    told.last() shouldBe ConnectivityState.SHUTDOWN
                }
            }
        }

        "authorizers may suspend, for a stream and for a call, and are cancelled with it" {
            val cancelled = CompletableDeferred<Unit>()
            val asked = CompletableDeferred<Unit>()
            val grpc =
                grpcStream {
                    service(GreetingService())
                    limitPerPeer(10)
                    authorizeSuspending { _, protocol ->
                        kotlinx.coroutines.yield()
                        protocol == PROTOCOL
                    }
                    authorizeCalls { _, method, headers ->
                        if (headers.get(HANG) != null) {
                            asked.complete(Unit)
                            try {
                                kotlinx.coroutines.awaitCancellation()
                            } catch (e: CancellationException) {
                                cancelled.complete(Unit)
                                throw e
                            }
                        }
                        if (method.bareMethodName == "SayHello") {
                            Status.OK
                        } else {
                            Status.PERMISSION_DENIED.withDescription("only hello")
                        }
                    }
                }
            accepting(grpc.serve()) { _, dialer, listener ->
                val channel = dialer.peerChannel(listener.listenAddresses().first(), PROTOCOL)
                channel.greet("Ada") shouldBe "Hello, Ada!"
                shouldThrow<StatusException> {
                    OwnStyle.client(channel).serverStreaming("x").toList()
                }.status.description shouldBe "only hello"
                coroutineScope {
                    val headers = io.grpc.Metadata().apply { put(HANG, "yes") }
                    val hanging =
                        launch {
                            channel.unary(
                                io.grpcstream.greeter.GreeterGrpcKt.sayHelloMethod,
                                io.grpcstream.greeter.HelloRequest
                                    .getDefaultInstance(),
                                headers = headers,
                            )
                        }
                    asked.await()
                    hanging.cancelAndJoin()
                    cancelled.await()
                }
                channel.shutdownNow()
            }
        }
    })

private val HANG =
    io.grpc.Metadata.Key
        .of("hang", io.grpc.Metadata.ASCII_STRING_MARSHALLER)
