package io.grpcstream.kotlin

import io.grpc.ManagedChannel
import io.grpc.Status
import io.grpc.StatusException
import io.grpcstream.GrpcConnection
import io.grpcstream.GrpcStream
import io.grpcstream.libp2p.Host
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.collect
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.onEach
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.yield
import java.io.IOException
import java.nio.channels.ClosedChannelException
import kotlin.time.Duration

class ConnectionsSpec :
    StringSpec({
        "connections come in the order in which they were opened" {
            accepting { grpc, dialer, listener ->
                val opened = List(3) { dialer.openTo(listener) }
                val accepted = grpc.connections().take(3).toList()
                accepted.forEach(GrpcConnection::serve)
                opened.forEach { it.greet("Ada") shouldBe "Hello, Ada!" }
                opened.forEach(ManagedChannel::shutdownNow)
            }
        }

        "nothing is accepted before there is a collector, nor ahead of it" {
            accepting(GrpcStream.builder().backlog(2).build()) { grpc, dialer, listener ->
                val connections = grpc.connections()
                val waiting = List(2) { dialer.openTo(listener) }
                listener.awaitStreams(2)
                dialer.shouldBeRefusedBy(listener)

                connections.first().refuse()
                // The place that was freed is the only one: the flow has taken no second connection.
                val next = dialer.openTo(listener)
                listener.awaitStreams(2)
                dialer.shouldBeRefusedBy(listener)
                (waiting + next).forEach(ManagedChannel::shutdownNow)
            }
        }

        "the flow completes when the GrpcStream is shut down" {
            val grpc = GrpcStream.create()
            coroutineScope {
                val collected =
                    async(start = CoroutineStart.UNDISPATCHED) { grpc.connections().toList() }
                grpc.shutdownAndAwait(Duration.ZERO)
                collected.await() shouldHaveSize 0
            }
            grpc.connections().toList() shouldHaveSize 0
        }

        "the flow fails once the GrpcStream serves all by itself" {
            val grpc = GrpcStream.create()
            coroutineScope {
                val collected =
                    async(start = CoroutineStart.UNDISPATCHED) {
                        shouldThrow<IllegalStateException> { grpc.connections().collect() }
                    }
                grpc.serve()
                collected.await()
            }
            shouldThrow<IllegalStateException> { grpc.connections().collect() }
            grpc.shutdownAndAwait(Duration.ZERO)
        }

        "what a collector throws is not taken for the end of the GrpcStream" {
            accepting { grpc, dialer, listener ->
                val channel = dialer.openTo(listener)
                shouldThrow<ClosedChannelException> {
                    grpc.connections().collect {
                        it.serve()
                        throw ClosedChannelException()
                    }
                }
                channel.greet("Ada") shouldBe "Hello, Ada!"
                channel.shutdownNow()
            }
        }

        "two collectors share the connections, each in its turn" {
            accepting { grpc, dialer, listener ->
                coroutineScope {
                    val one = Channel<GrpcConnection>(Channel.UNLIMITED)
                    val other = Channel<GrpcConnection>(Channel.UNLIMITED)
                    val collectors =
                        listOf(one, other).map { taken ->
                            launch(Dispatchers.Unconfined) {
                                grpc.connections().collect { taken.send(it) }
                            }
                        }
                    val channels =
                        List(4) {
                            val channel = dialer.openTo(listener)
                            (if (it % 2 == 0) one else other).receive().serve()
                            channel
                        }
                    channels.forEach { it.greet("Ada") shouldBe "Hello, Ada!" }
                    collectors.forEach { it.cancelAndJoin() }
                    channels.forEach(ManagedChannel::shutdownNow)
                }
            }
        }

        "collectors that are cancelled while connections come lose none of them" {
            val total = 100
            val grpc = GrpcStream.builder().backlog(total).build()
            accepting(grpc.registerService(GreetingService())) { _, dialer, listener ->
                coroutineScope {
                    val opening =
                        async(Dispatchers.Default) { List(total) { dialer.openTo(listener) } }
                    var delivered = 0
                    while (delivered < total) {
                        val collector =
                            launch(Dispatchers.Default) {
                                grpc.connections().collect {
                                    it.serve()
                                    delivered++
                                }
                            }
                        yield()
                        collector.cancelAndJoin()
                    }
                    delivered shouldBe total
                    val channels = opening.await()
                    channels.forEach { it.greet("Ada") shouldBe "Hello, Ada!" }
                    channels.forEach(ManagedChannel::shutdownNow)
                }
            }
        }

        "a connection that a cancelled collector did not decide about is reset in the end" {
            val grpc =
                GrpcStream
                    .builder()
                    .backlogTimeout(java.time.Duration.ofMillis(50))
                    .build()
            accepting(grpc) { _, dialer, listener ->
                coroutineScope {
                    val reached = Channel<Unit>(Channel.UNLIMITED)
                    val collector =
                        launch(start = CoroutineStart.UNDISPATCHED) {
                            grpc.connections().onEach { reached.send(Unit) }.collect {
                                awaitCancellation()
                            }
                        }
                    val refused = async { dialer.shouldBeRefusedBy(listener) }
                    reached.receive()
                    collector.cancelAndJoin()
                    refused.await()
                }
            }
        }

        "serveAndAwait returns when the peer has closed the connection" {
            accepting { grpc, dialer, listener ->
                coroutineScope {
                    val served =
                        launch(start = CoroutineStart.UNDISPATCHED) {
                            grpc.awaitConnection().serveAndAwait()
                        }
                    val channel = dialer.openTo(listener)
                    channel.greet("Ada") shouldBe "Hello, Ada!"
                    served.isActive shouldBe true
                    channel.shutdown()
                    served.join()
                    served.isCancelled shouldBe false
                }
            }
        }

        "cancelling serveAndAwait closes the connection" {
            accepting { grpc, dialer, listener ->
                coroutineScope {
                    val accepted = Channel<GrpcConnection>(1)
                    val served =
                        launch(start = CoroutineStart.UNDISPATCHED) {
                            grpc.connections().collect {
                                accepted.send(it)
                                it.serveAndAwait()
                            }
                        }
                    val channel = dialer.openTo(listener)
                    channel.greet("Ada") shouldBe "Hello, Ada!"
                    served.cancelAndJoin()
                    accepted.receive().awaitClosed()
                    shouldThrow<StatusException> { channel.greet("Ada") }
                        .status.code shouldBe Status.Code.UNAVAILABLE
                    channel.shutdownNow()
                }
            }
        }
    })

internal suspend fun Host.openTo(listener: Host): ManagedChannel =
    open(listener.listenAddresses().first(), PROTOCOL).grpcChannel()

/** The reset of a refused stream may overtake the agreement on its protocol. */
internal suspend fun Host.shouldBeRefusedBy(listener: Host) {
    val failure =
        shouldThrow<IOException> {
            val channel = openTo(listener)
            try {
                channel.greet("Ada")
            } catch (refused: StatusException) {
                refused.status.code shouldBe Status.Code.UNAVAILABLE
                throw IOException(refused)
            } finally {
                channel.shutdownNow()
            }
        }
    generateSequence<Throwable>(
        failure,
    ) { it.cause }.map { it.message }.joinToString() shouldContain
        "reset"
}
