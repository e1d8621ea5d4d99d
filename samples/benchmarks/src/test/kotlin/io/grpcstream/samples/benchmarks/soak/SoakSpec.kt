package io.grpcstream.samples.benchmarks.soak

import io.grpc.ForwardingServerCall.SimpleForwardingServerCall
import io.grpc.ManagedChannel
import io.grpc.Metadata
import io.grpc.ServerCall
import io.grpc.ServerCallHandler
import io.grpc.ServerInterceptor
import io.grpc.ServerInterceptors
import io.grpc.Status
import io.grpc.inprocess.InProcessChannelBuilder
import io.grpc.inprocess.InProcessServerBuilder
import io.grpcstream.benchmarks.Payload
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainAll
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.delay
import kotlinx.coroutines.withTimeout
import java.util.concurrent.Executor
import java.util.concurrent.TimeUnit
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes

/** That a soak finds what it is for. */
class SoakSpec :
    FunSpec({
        test("calls over both secure channels, cut in every way, lose nothing and all end") {
            val soak = Soak(seed = 1)
            soak.start()
            soak.leg { await { soak.ledger.calls() > 150 && soak.cuts().values.sum() > 12 } }
            soak.ledger.underWay() shouldBe emptyList()
            val before = soak.ledger.calls()
            soak.lastLeg { await { soak.ledger.calls() > before + 30 } }
            Fault.entries.associateWith { soak.ledger.count(it) } shouldBe
                Fault.entries.associateWith { 0L }
            soak.ledger.statuses().keys shouldContainAll
                setOf(Status.Code.OK, Status.Code.UNAVAILABLE)
            soak.ledger
                .statuses()
                .values
                .sum() shouldBe soak.ledger.calls()
        }

        test("messages of all kinds of calls that arrive whole are no fault") {
            for (kind in Kind.entries) {
                faultsOf(kind) { _, message, send -> send(message) } shouldBe
                    emptyMap()
            }
        }

        test("a message left out is lost, in the midst of a call and at its end") {
            for (kind in setOf(Kind.DOWNLOAD, Kind.BOTH)) {
                faultsOf(kind) { n, message, send -> if (n != 3) send(message) } shouldBe
                    mapOf(Fault.LOST to 1L)
                faultsOf(kind) { n, message, send -> if (n < MESSAGES - 2) send(message) } shouldBe
                    mapOf(Fault.LOST to 2L)
            }
        }

        test("an upload of which the service has received less than was sent has lost messages") {
            faultsOf(Kind.UPLOAD) { _, message, send ->
                send(numbered(callOf(message), MESSAGES - 4))
            } shouldBe
                mapOf(Fault.LOST to 4L)
        }

        test("a message that comes twice is a double") {
            faultsOf(Kind.DOWNLOAD) { _, message, send ->
                send(message)
                if (numberOf(message) == 5) send(message)
            } shouldBe mapOf(Fault.DOUBLED to 1L)
        }

        test("a message that overtakes another is a reordering") {
            var held: Payload? = null
            faultsOf(Kind.BOTH) { n, message, send ->
                if (n == 4) held = message else send(message)
                if (n == 5) send(checkNotNull(held))
            } shouldBe mapOf(Fault.REORDERED to 1L)
        }

        test("a message of another call, or with another content, is damaged and then lost") {
            faultsOf(Kind.DOWNLOAD) { n, message, send ->
                send(if (n == 4) numbered(callOf(message) + 1, 4) else message)
            } shouldBe mapOf(Fault.DAMAGED to 1L, Fault.LOST to 1L)
            faultsOf(Kind.DOWNLOAD) { n, message, send ->
                val bytes = message.data.toByteArray()
                if (n == 4) bytes[bytes.size - 1]++
                send(
                    message
                        .toBuilder()
                        .setData(
                            com.google.protobuf.ByteString
                                .copyFrom(bytes),
                        ).build(),
                )
            } shouldBe mapOf(Fault.DAMAGED to 1L, Fault.LOST to 1L)
        }

        test(
            "a call that fails though nothing was cut, with a status of its own, is told twice over",
        ) {
            faultsOf(Kind.DOWNLOAD) { n, message, send ->
                if (n == 4) error("a fault of the service")
                send(message)
            } shouldBe mapOf(Fault.UNPROVOKED to 1L, Fault.OTHER_STATUS to 1L)
        }

        test("a call that does not end is under way at both ends") {
            val ledger = Ledger()
            StandIn(ledger) { n, message, send -> if (n < 4) send(message) }.use { standIn ->
                val call = standIn.start(Kind.DOWNLOAD, swallowEnd = true)
                await { ledger.messages() == 4L }
                ledger.underWay() shouldBe listOf(call)
                ledger.beingServed() shouldBe 1L
            }
        }

        test("what a failure names is told apart") {
            val ledger = Ledger()
            ledger.cut(
                "UNAVAILABLE stream to 12D3KooWa at /ip4/127.0.0.1/tcp/1: reset",
                "12D3KooWa",
            )
            ledger.cut("UNAVAILABLE stream to 12D3KooWa: reset", "12D3KooWa")
            ledger.cut("UNAVAILABLE io exception", "12D3KooWa")
            Naming.entries.map { ledger.count(it) } shouldBe listOf(1L, 1L, 1L)
        }

        test("the slope of what grows steadily is its growth a minute") {
            val trend = Trend()
            trend.slope(Resource.HEAP) shouldBe null
            val held = mutableListOf<ByteArray>()
            repeat(3) {
                trend.note(it / 2.0)
                held += ByteArray(8 shl 20)
            }
            trend.slope(Resource.HEAP)!!.toLong() shouldBeGreaterThan 8L
            held.size shouldBe 3
        }
    })

private const val MESSAGES = 9

/** What a stand-in for the transport does with the message of that index: sends it on, or not. */
private typealias Carry = (index: Int, message: Payload, send: (Payload) -> Unit) -> Unit

/** The faults that the caller of one such call finds, those that are none left out. */
private suspend fun faultsOf(
    kind: Kind,
    carry: Carry,
): Map<Fault, Long> {
    val ledger = Ledger()
    StandIn(ledger, carry).use { it.start(kind).ended.await() }
    return Fault.entries.associateWith { ledger.count(it) }.filterValues { it > 0 }
}

/** A server in this process, whose replies pass through [carry]. */
private class StandIn(
    private val ledger: Ledger,
    private val carry: Carry,
) : AutoCloseable {
    private val name = InProcessServerBuilder.generateName()
    private val now = Executor { it.run() }
    private var swallowEnd = false
    private val server =
        InProcessServerBuilder
            .forName(name)
            .addService(
                ServerInterceptors.intercept(SoakService(ledger, now).definition(), carrier()),
            ).build()
            .start()
    private val channel: ManagedChannel = InProcessChannelBuilder.forName(name).build()

    fun start(
        kind: Kind,
        swallowEnd: Boolean = false,
    ): SoakCall {
        this.swallowEnd = swallowEnd
        val call =
            SoakCall(
                Plan(kind, number = 1, messages = MESSAGES),
                "peer",
                ledger,
                now,
                wasCut = { false },
                whenFailed = { },
            )
        call.start(channel)
        return call
    }

    private fun carrier() =
        object : ServerInterceptor {
            override fun <Q, R> interceptCall(
                call: ServerCall<Q, R>,
                headers: Metadata,
                next: ServerCallHandler<Q, R>,
            ): ServerCall.Listener<Q> =
                next.startCall(
                    object : SimpleForwardingServerCall<Q, R>(call) {
                        private var index = 0

                        override fun sendMessage(message: R) {
                            carry(index++, message as Payload) {
                                @Suppress("UNCHECKED_CAST")
                                super.sendMessage(it as R)
                            }
                        }

                        override fun close(
                            status: Status,
                            trailers: Metadata,
                        ) {
                            if (!swallowEnd) super.close(status, trailers)
                        }
                    },
                    headers,
                )
        }

    override fun close() {
        channel.shutdownNow()
        server.shutdownNow().awaitTermination(20, TimeUnit.SECONDS)
    }
}

/** Far longer than it takes where other work goes on. */
private suspend fun await(condition: () -> Boolean) =
    withTimeout(2.minutes) { while (!condition()) delay(5.milliseconds) }
