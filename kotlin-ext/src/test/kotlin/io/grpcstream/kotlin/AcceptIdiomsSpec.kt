package io.grpcstream.kotlin

import io.grpc.ManagedChannel
import io.grpc.Status
import io.grpc.StatusException
import io.grpcstream.GrpcStream
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.filter
import kotlinx.coroutines.flow.onStart
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Semaphore
import kotlin.time.Duration

/** What the documentation of [connections] shows. */
class AcceptIdiomsSpec :
    StringSpec({
        "admission by peer id" {
            accepting { grpc, dialer, listener ->
                twoHosts { stranger, _ ->
                    val friends = setOf(dialer.peerId())
                    coroutineScope {
                        val accepting =
                            launch(Dispatchers.Default) {
                                grpc
                                    .connections()
                                    .filter {
                                        (it.remotePeer() in friends).also { friend ->
                                            if (!friend) it.refuse()
                                        }
                                    }.collect { it.serve() }
                            }
                        val channel = dialer.openTo(listener)
                        channel.greet("Ada") shouldBe "Hello, Ada!"
                        stranger.shouldBeRefusedBy(listener)
                        channel.shutdownNow()
                        accepting.cancelAndJoin()
                    }
                }
            }
        }

        "one coroutine a connection: cancelling them closes the connections" {
            accepting { grpc, dialer, listener ->
                coroutineScope {
                    val accepting =
                        launch(Dispatchers.Default) {
                            grpc.connections().collect { launch { it.serveAndAwait() } }
                        }
                    val channels = List(3) { dialer.openTo(listener) }
                    channels.forEach { it.greet("Ada") shouldBe "Hello, Ada!" }
                    accepting.cancelAndJoin()
                    listener.awaitStreams(0)
                    channels.forEach {
                        shouldThrow<StatusException> { it.greet("Ada") }
                            .status.code shouldBe Status.Code.UNAVAILABLE
                    }
                    channels.forEach(ManagedChannel::shutdownNow)
                }
            }
        }

        "a cap on connections at a time: the next is accepted when one has ended" {
            accepting { grpc, dialer, listener ->
                coroutineScope {
                    val seats = Semaphore(2)
                    val accepted = Channel<Unit>(Channel.UNLIMITED)
                    val accepting =
                        launch(Dispatchers.Default) {
                            grpc
                                .connections()
                                .onStart { seats.acquire() }
                                .collect { connection ->
                                    accepted.send(Unit)
                                    launch {
                                        try {
                                            connection.serveAndAwait()
                                        } finally {
                                            seats.release()
                                        }
                                    }
                                    seats.acquire()
                                }
                        }
                    val seated = List(2) { dialer.openTo(listener) }
                    seated.forEach { it.greet("Ada") shouldBe "Hello, Ada!" }
                    val next = dialer.openTo(listener)
                    val call = async(start = CoroutineStart.UNDISPATCHED) { next.greet("Grace") }
                    repeat(2) { accepted.receive() }
                    listener.awaitStreams(3)
                    accepted.tryReceive().isSuccess shouldBe false

                    seated.first().shutdown()
                    accepted.receive()
                    call.await() shouldBe "Hello, Grace!"
                    (seated + next).forEach(ManagedChannel::shutdownNow)
                    accepting.cancelAndJoin()
                }
            }
        }

        "calling a peer back goes over the connection by which it came" {
            val back = GrpcStream.create().registerService(GreetingService("Welcome")).serve()
            accepting { grpc, dialer, listener ->
                dialer.handle(BACK, back.handler())
                val answer = CompletableDeferred<String>()
                coroutineScope {
                    val accepting =
                        launch(Dispatchers.Default) {
                            grpc.connections().collect { connection ->
                                connection.serve()
                                launch {
                                    val channel =
                                        listener.open(connection.remotePeer(), BACK).grpcChannel()
                                    answer.complete(channel.greet("Ada"))
                                    channel.shutdownNow()
                                }
                            }
                        }
                    val channel = dialer.openTo(listener)
                    answer.await() shouldBe "Welcome, Ada!"
                    listener.connections() shouldHaveSize 1
                    channel.shutdownNow()
                    accepting.cancelAndJoin()
                }
            }
            back.shutdownAndAwait(Duration.ZERO)
        }
    })

private const val BACK = "/greeter-back/1.0.0"
