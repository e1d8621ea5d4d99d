package io.grpcstream.kotest

import io.grpc.CallOptions
import io.grpc.ClientCall
import io.grpc.ManagedChannel
import io.grpc.MethodDescriptor
import io.grpcstream.GrpcStream
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineImplBase
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineStub
import io.grpcstream.greeter.HelloReply
import io.grpcstream.greeter.HelloRequest
import io.grpcstream.greeter.helloReply
import io.grpcstream.greeter.helloRequest
import io.grpcstream.kotlin.awaitConnection
import io.grpcstream.libp2p.Libp2pException
import io.grpcstream.libp2p.Stream
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeInstanceOf
import io.kotest.matchers.types.shouldBeSameInstanceAs
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runTest
import java.io.IOException
import java.util.concurrent.CompletableFuture
import java.util.concurrent.TimeUnit
import kotlin.time.Duration.Companion.hours

internal class Greeter(
    private val greeting: String = "Hello",
) : GreeterCoroutineImplBase() {
    override suspend fun sayHello(request: HelloRequest): HelloReply =
        helloReply { message = "$greeting, ${request.name}!" }
}

/** A channel that fails those who wait for its end. */
private object Unstoppable : ManagedChannel() {
    override fun shutdown() = this

    override fun shutdownNow() = this

    override fun isShutdown() = true

    override fun isTerminated() = false

    override fun awaitTermination(
        timeout: Long,
        unit: TimeUnit,
    ): Boolean = error("it cannot be told whether it ended")

    override fun <Q, R> newCall(
        method: MethodDescriptor<Q, R>,
        options: CallOptions,
    ): ClientCall<Q, R> = throw UnsupportedOperationException()

    override fun authority() = "unstoppable"
}

internal fun greeter(greeting: String = "Hello"): GrpcStream =
    GrpcStream.builder().addService(Greeter(greeting)).build()

internal suspend fun Peer.greet(other: Peer): String =
    GreeterCoroutineStub(channelTo(other)).sayHello(helloRequest { name = "Ada" }).message

@OptIn(ExperimentalCoroutinesApi::class) // For currentTime.
class WithPeersSpec :
    StringSpec({
        "each of two peers calls the other" {
            val greetings = listOf("Hello", "Bonjour")
            withPeers(configure = { grpc { greeter(greetings[it]) } }) { (alice, bob) ->
                alice.greet(bob) shouldBe "Bonjour, Ada!"
                bob.greet(alice) shouldBe "Hello, Ada!"
                alice.host.connections() shouldHaveSize 1
            }
        }

        "what the test returns is returned" {
            withPeers(3) { peers -> peers.map { it.peerId }.toSet().size } shouldBe 3
        }

        "coroutines that the test launches find the peers up, and are awaited" {
            var greeting: String? = null
            withPeers(configure = { grpc { greeter() } }) { (alice, bob) ->
                launch { greeting = alice.greet(bob) }
            }
            greeting shouldBe "Hello, Ada!"
        }

        "a coroutine that fails fails the test" {
            shouldThrow<IllegalStateException> {
                withPeers {
                    launch { error("in a coroutine") }
                    awaitCancellation()
                }
            }.message shouldBe "in a coroutine"
        }

        "a failed test ends the coroutines that it has launched" {
            val ended = CompletableDeferred<Throwable?>()
            val failure = IllegalStateException("the test's own")
            shouldThrow<IllegalStateException> {
                withPeers {
                    launch { awaitCancellation() }.invokeOnCompletion { ended.complete(it) }
                    throw failure
                }
            } shouldBeSameInstanceAs failure
            ended.await().shouldBeInstanceOf<CancellationException>()
        }

        "peers that do not serve have streams to accept" {
            val configure: PeersBuilder.() -> Unit = {
                serve = false
                protocol = "/chat/1.0.0"
                grpc { greeter() }
            }
            withPeers(configure = configure) { (alice, bob) ->
                val stream = alice.open(bob)
                val connection = bob.grpc!!.awaitConnection()
                connection.remotePeer() shouldBe alice.peerId
                connection.protocol() shouldBe "/chat/1.0.0"
                connection.refuse()
                stream.reset()
            }
        }

        "bare hosts speak any protocol" {
            withPeers { (alice, bob) ->
                alice.grpc.shouldBeNull()
                val inbound = CompletableDeferred<Stream>()
                bob.host.handle("/raw/1.0.0") { inbound.complete(it) }
                alice.open(bob, "/raw/1.0.0")
                inbound.await().remotePeer() shouldBe alice.peerId
            }
        }

        "nothing is left of the peers, whatever the test left open" {
            val peers =
                withPeers(configure = { grpc { greeter() } }) { peers ->
                    val (alice, bob) = peers
                    alice.greet(bob)
                    alice.open(bob)
                    peers
                }
            peers.flatMap { threadsOf(it.peerId) }.shouldBeEmpty()
            peers.forEach { open(it.host.stats()).shouldBeNull() }
            peers[0].channels.single().isTerminated shouldBe true
        }

        "a failed test fails with its own failure, and its peers are taken down" {
            val failure = IllegalStateException("the test's own")
            lateinit var kept: Peers
            shouldThrow<IllegalStateException> {
                withPeers { peers ->
                    kept = peers
                    throw failure
                }
            } shouldBeSameInstanceAs failure
            kept.flatMap { threadsOf(it.peerId) }.shouldBeEmpty()
        }

        "what goes wrong after a failed test is suppressed by its failure" {
            val failure = IllegalStateException("the test's own")
            lateinit var kept: Peers
            shouldThrow<IllegalStateException> {
                withPeers { peers ->
                    kept = peers
                    peers.first().channels += Unstoppable
                    throw failure
                }
            } shouldBeSameInstanceAs failure
            failure.suppressed.single().message shouldContain "it cannot be told whether it ended"
            kept.flatMap { threadsOf(it.peerId) }.shouldBeEmpty()
        }

        "what goes wrong after a test fails it, and the other peers are taken down" {
            lateinit var kept: Peers
            shouldThrow<AssertionError> {
                withPeers(3) { peers ->
                    kept = peers
                    peers.first().channels += Unstoppable
                }
            }.message shouldContain "1 left after the test:\npeer 0"
            kept.flatMap { threadsOf(it.peerId) }.shouldBeEmpty()
        }

        "a shutdown or a check that fails is something left" {
            val failed = CompletableFuture.failedFuture<Void>(IOException("disk full"))
            unlessEnded(failed, "the host of peer 7").single() shouldContain
                "the host of peer 7: java.io.IOException: disk full"
            unlessEnded(CompletableFuture.completedFuture(null), "it").shouldBeEmpty()
            found("buffers") { BufferLeaks { error("no collection ran") }.collect() }
                .single() shouldContain "no collection ran"
        }

        "a host that cannot start fails the test, and those before it are taken down" {
            val sameAddress: PeersBuilder.() -> Unit = { host { listen("/memory/4711") } }
            shouldThrow<Libp2pException> { withPeers(2, sameAddress) { } }
            withPeers(1, sameAddress) { it.single().host.listenAddresses() } shouldHaveSize 2
        }

        "a cancelled test takes its peers down before it ends" {
            val up = CompletableDeferred<Peers>()
            val test =
                launch {
                    withPeers { peers ->
                        up.complete(peers)
                        awaitCancellation()
                    }
                }
            val peers = up.await()
            test.cancelAndJoin()
            peers.flatMap { threadsOf(it.peerId) }.shouldBeEmpty()
        }

        "what a cancelled test leaves behind is told" {
            val up = CompletableDeferred<Unit>()
            val told = CompletableDeferred<List<Throwable>>()
            val test =
                launch {
                    try {
                        withPeers { peers ->
                            peers.first().channels += Unstoppable
                            up.complete(Unit)
                            awaitCancellation()
                        }
                    } catch (e: CancellationException) {
                        told.complete(e.suppressed.toList())
                        throw e
                    }
                }
            up.await()
            test.cancelAndJoin()
            told.await().single().message shouldContain "it cannot be told whether it ended"
        }

        "in runTest calls take no virtual time, and delays no real time" {
            runTest {
                withPeers(configure = { grpc { greeter() } }) { (alice, bob) ->
                    alice.greet(bob) shouldBe "Hello, Ada!"
                    currentTime shouldBe 0
                    delay(5.hours)
                    alice.greet(bob) shouldBe "Hello, Ada!"
                    currentTime shouldBe 5.hours.inWholeMilliseconds
                }
            }
        }
    })
