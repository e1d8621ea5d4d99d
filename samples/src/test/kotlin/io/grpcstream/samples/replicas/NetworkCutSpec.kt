package io.grpcstream.samples.replicas

import io.grpc.Status
import io.grpc.Status.Code
import io.grpc.StatusException
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineStub
import io.grpcstream.greeter.HelloRequest
import io.grpcstream.greeter.helloRequest
import io.grpcstream.kotlin.peerChannel
import io.grpcstream.kotlin.use
import io.grpcstream.kotlin.withGrpcPeer
import io.grpcstream.libp2p.ConnectionGater
import io.grpcstream.libp2p.Limits
import io.grpcstream.libp2p.Multiaddr
import io.grpcstream.libp2p.PeerId
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeIn
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import java.time.Duration
import java.util.concurrent.TimeUnit
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlin.time.measureTime
import kotlin.time.measureTimedValue

private const val CALLS = 20
private const val SHOWN = 300 // characters
private val DEADLINE = 1.seconds

/** How long the network stays cut when all that cannot wait has ended: `-Dcut.seconds=60`. */
private val LONGER = System.getProperty("cut.seconds", "0").toInt().seconds

/** A peer behind a network that is cut for a while, and its caller. */
class NetworkCutSpec :
    StringSpec({
        "when the network loses all bytes, calls end by their deadlines, and later ones go on" {
            called(
                "lost in silence",
            ) { link, greeter -> outlives(link::cutSilently, link, greeter) }
        }

        "when the network resets all connections, calls end at once, and later ones go on" {
            called("reset") { link, greeter -> outlives(link::cutLoudly, link, greeter) }
        }
    })

private class Called(
    val what: String,
    val peer: PeerId,
    val scope: CoroutineScope,
) {
    /** Makes all kinds of calls across a cut, which is mended once those that cannot wait have ended. */
    suspend fun outlives(
        cut: () -> Unit,
        link: CuttableLink,
        greeter: GreeterCoroutineStub,
    ) {
        greeter.withWaitForReady().sayHello(ADA).message shouldBe GREETING
        val answered = CompletableDeferred<Unit>()
        val underWay =
            scope.async {
                failureOf {
                    val names = flow { emit(ADA).also { awaitCancellation() } }
                    greeter.chat(names).collect { answered.complete(Unit) }
                }
            }
        answered.await()

        cut()
        val sent = List(CALLS) { scope.async { failureOf { greeter.limited().sayHello(ADA) } } }
        val (first, time) = measureTimedValue { sent.awaitAll() }
        println("$what: calls with a deadline of $DEADLINE have all ended after $time")
        first.forEach { it.isNamed(Code.DEADLINE_EXCEEDED, Code.UNAVAILABLE) }

        val (lost, noticed) = measureTimedValue { underWay.await() }
        println("$what: the call under way has ended $noticed later: ${lost.said()}")
        lost.isNamed(Code.UNAVAILABLE)

        // Now there is no stream any more.
        val waiting =
            List(CALLS) { scope.async { greeter.withWaitForReady().sayHello(ADA).message } }
        val waited = failureOf { greeter.withWaitForReady().limited().sayHello(ADA) }
        println("$what: one that waits until its deadline: ${waited.said()}")
        waited.isNamed(Code.DEADLINE_EXCEEDED)
        val unwaited = failureOf { greeter.sayHello(ADA) }
        println("$what: one that does not wait: ${unwaited.said()}")
        unwaited.isNamed(Code.UNAVAILABLE)

        delay(LONGER)
        link.mend()
        println("$what: calls go on ${measureTime { waiting.awaitAll() }} after the end of the cut")
        waiting.awaitAll().forEach { it shouldBe GREETING }
        greeter.limited().sayHello(ADA).message shouldBe GREETING
    }

    private fun Status.said() =
        description
            .orEmpty()
            .take(SHOWN)
            .lineSequence()
            .first()

    private fun Status.isNamed(vararg codes: Code) {
        code shouldBeIn codes.toList()
        description.orEmpty() shouldContain "$peer"
    }
}

private val ADA: HelloRequest = helloRequest { name = "Ada" }
private const val GREETING = "Hello, Ada!"

private fun GreeterCoroutineStub.limited() =
    withDeadlineAfter(DEADLINE.inWholeMilliseconds, TimeUnit.MILLISECONDS)

private suspend fun failureOf(call: suspend () -> Unit): Status =
    shouldThrow<StatusException> { call() }.status

private suspend fun called(
    what: String,
    block: suspend Called.(CuttableLink, GreeterCoroutineStub) -> Unit,
) = withContext(Dispatchers.Default) {
    withTimeout(2.minutes) {
        withGrpcPeer({
            listen("/ip4/127.0.0.1/tcp/0")
            serve(PROTOCOL) { service(MoodyGreeter()) }
        }) { peer ->
            val address = peer.addresses().first()
            CuttableLink(address.value("tcp").orElseThrow().toInt()).use { link ->
                withGrpcPeer({
                    host { limits(QUICK).gater(Only(link.port)) }
                }) { caller ->
                    val target = "libp2p:/ip4/127.0.0.1/tcp/${link.port}/p2p/${peer.peerId()}"
                    caller.host().peerChannel("$target?protocol=$PROTOCOL").use {
                        Called(what, peer.peerId(), this).block(link, GreeterCoroutineStub(it))
                    }
                }
            }
        }
    }
}

/** A peer that is lost is missed after 3 s, a dial is given up after 2. */
private val QUICK: Limits =
    Limits
        .builder()
        .keepAliveInterval(Duration.ofSeconds(1))
        .keepAliveTimeout(Duration.ofSeconds(2))
        .dialTimeout(Duration.ofSeconds(2))
        .upgradeTimeout(Duration.ofSeconds(2))
        .build()

/** Lets the host take this way alone, not the one that the peer tells of. */
private class Only(
    private val port: Int,
) : ConnectionGater {
    override fun allowDial(
        peer: PeerId?,
        address: Multiaddr,
    ): Boolean = address.value("tcp").orElse("") == "$port"
}
