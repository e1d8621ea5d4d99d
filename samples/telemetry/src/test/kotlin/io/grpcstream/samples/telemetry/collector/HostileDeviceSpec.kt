package io.grpcstream.samples.telemetry.collector

import io.grpc.CallOptions
import io.grpc.ClientCall
import io.grpc.Metadata
import io.grpc.Status
import io.grpcstream.kotlin.GrpcPeerBuilder
import io.grpcstream.kotlin.withGrpcPeer
import io.grpcstream.libp2p.PeerId
import io.grpcstream.samples.telemetry.Batch
import io.grpcstream.samples.telemetry.MemoryStore
import io.grpcstream.samples.telemetry.Reading
import io.grpcstream.samples.telemetry.Rules
import io.grpcstream.samples.telemetry.Settings
import io.grpcstream.samples.telemetry.Watched
import io.grpcstream.samples.telemetry.device
import io.grpcstream.samples.telemetry.device.Device
import io.grpcstream.samples.telemetry.failureOf
import io.grpcstream.samples.telemetry.toMessage
import io.grpcstream.samples.telemetry.withCollector
import io.grpcstream.telemetry.CollectorGrpc
import io.grpcstream.telemetry.CollectorGrpcKt.CollectorCoroutineStub
import io.grpcstream.telemetry.Configuration
import io.grpcstream.telemetry.DeviceGrpcKt.DeviceCoroutineImplBase
import io.grpcstream.telemetry.ReportRequest
import io.grpcstream.telemetry.ReportResponse
import io.grpcstream.telemetry.configureRequest
import io.grpcstream.telemetry.deviceInfo
import io.grpcstream.telemetry.reportRequest
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeIn
import io.kotest.matchers.ints.shouldBeLessThan
import io.kotest.matchers.maps.shouldHaveSize
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.collect
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.launch
import java.time.Instant
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.toJavaDuration

/** What devices that break the rules get, and that they harm nobody: an honest one reports all the while. */
class HostileDeviceSpec :
    StringSpec({
        "garbage ends the call with what is wrong with it, and nothing of it is stored" {
            besideAnHonestDevice { watched, _ ->
                hostile(watched) { collector ->
                    val now = Instant.now()

                    suspend fun refused(
                        reason: String,
                        request: ReportRequest,
                    ) {
                        val status = failureOf { collector.report(flowOf(request)).collect() }
                        status.code shouldBe Status.Code.INVALID_ARGUMENT
                        status.description shouldContain reason
                    }
                    refused("value of t is NaN", report(Reading(now, "t", Double.NaN)))
                    val later = now + 1.days.toJavaDuration()
                    refused(
                        "the time of t is ${later.epochSecond}s",
                        report(Reading(later, "t", 1.0)),
                    )
                    refused("of 40000 characters", report(Reading(now, "x".repeat(40_000), 1.0)))
                    refused("a batch of 257 readings", report(List(257) { Reading(now, "t", 1.0) }))
                    refused("a report of nothing that we know", reportRequest { })
                    refused(
                        "an interval of 0s",
                        reportRequest { device = deviceInfo { name = "x" } },
                    )
                    refused("17 metrics", report(List(17) { Reading(now, "t$it", 1.0) }))

                    val long = report(Reading(now, "x".repeat(Rules.MESSAGE_BYTES), 1.0))
                    failureOf { collector.report(flowOf(long)).collect() }.code shouldBe
                        Status.Code.RESOURCE_EXHAUSTED
                }.let { peer ->
                    watched.viewer
                        .await { it.devices[peer]?.online == false }
                        .devices
                        .getValue(peer)
                        .stored shouldBe 0
                }
            }
        }

        "who claims to be another device is itself: readings count for the proven id" {
            besideAnHonestDevice { watched, honest ->
                watched.await(honest) { it.stored >= 3 }
                val peer =
                    hostile(watched) { collector ->
                        val claims =
                            flow {
                                emit(
                                    reportRequest {
                                        device =
                                            deviceInfo {
                                                name = "honest"
                                                configuration = Settings(1.seconds).toMessage()
                                            }
                                    },
                                )
                                // The run and the sequence numbers of the other one.
                                emit(report(Reading(Instant.now(), "temperature", 1e9), honest.run))
                                awaitCancellation()
                            }
                        collector.report(claims).first().storedThrough shouldBe 1
                    }
                val seen = watched.viewer.await { it.devices[peer]?.stored == 1L }
                seen.devices
                    .getValue(peer)
                    .latestList
                    .single()
                    .value shouldBe 1e9
                seen.devices
                    .getValue(
                        "${honest.peer}",
                    ).latestList
                    .filter { it.value > 1e6 } shouldBe
                    emptyList()
            }
        }

        "a flood is taken no faster than it may come, and nothing of it piles up" {
            val limits = CollectorLimits(readingsPerSecond = 50, burst = 512)
            besideAnHonestDevice(limits) { watched, honest ->
                hostile(watched) { collector ->
                    val sent = AtomicInteger()
                    val flood =
                        flow {
                            while (true) {
                                emit(full(sent.getAndIncrement()))
                            }
                        }
                    val flooding = launch { collector.report(flood).collect() }
                    watched.viewer.await { it.devices["${this@hostile.peer}"]?.stored == 512L }
                    val stored = honest.counts().stored
                    watched.await(honest) { it.stored > stored + 30 }
                    // Two are taken and one waits; of 11 KiB each, windows and buffers hold a few more.
                    sent.get() shouldBeLessThan 40
                    flooding.cancelAndJoin()
                }
            }
        }

        "who never reads an answer is not read from for ever" {
            besideAnHonestDevice { watched, honest ->
                hostile(watched) { collector ->
                    val call =
                        collector.channel.newCall(
                            CollectorGrpc.getReportMethod(),
                            CallOptions.DEFAULT,
                        )
                    call.start(object : ClientCall.Listener<ReportResponse>() {}, Metadata())
                    var number = 0
                    val stored = honest.counts().stored
                    while (honest.counts().stored < stored + 30) {
                        if (call.isReady) {
                            call.sendMessage(
                                full(number++),
                            )
                        } else {
                            delay(1.milliseconds)
                        }
                    }
                    // What a device may send at once and in that time, and what windows hold.
                    number shouldBeLessThan 100
                    call.cancel("enough", null)
                }
            }
        }

        "of many calls of one device the newest is left, and it is one device" {
            besideAnHonestDevice { watched, _ ->
                hostile(watched) { collector ->
                    val calls =
                        List(50) {
                            async { failureOf { collector.report(silence()).collect() }.code }
                        }
                    eventually(20.seconds) { calls.count { it.isCompleted } shouldBe 49 }
                    val last = launch { collector.report(silence()).collect() }
                    calls.awaitAll().toSet() shouldBeIn
                        listOf(
                            setOf(Status.Code.ABORTED),
                            setOf(Status.Code.ABORTED, Status.Code.RESOURCE_EXHAUSTED),
                        )
                    watched.viewer.await { it.devices["${this@hostile.peer}"]?.online == true }
                    watched.viewer.seen.value.devices shouldHaveSize 2
                    last.cancelAndJoin()
                }
            }
        }

        "one that does not answer, or answers nonsense, fails whoever configures it, in time" {
            besideAnHonestDevice(CollectorLimits(answer = 2.seconds)) { watched, honest ->
                suspend fun configured(answer: suspend () -> Configuration): Status {
                    val status = CompletableDeferred<Status>()
                    hostile(watched, answering(answer)) { collector ->
                        val reporting = launch { collector.report(silence()).collect() }
                        val id = "${this@hostile.peer}"
                        watched.viewer.await { it.devices[id]?.online == true }
                        status.complete(
                            failureOf {
                                watched.dashboard.configure(
                                    configureRequest {
                                        peerId = id
                                        configuration = Settings(1.seconds).toMessage()
                                    },
                                )
                            },
                        )
                        reporting.cancelAndJoin()
                    }
                    return status.await()
                }
                configured { awaitCancellation() }.code shouldBe Status.Code.DEADLINE_EXCEEDED
                with(configured { Configuration.getDefaultInstance() }) {
                    code shouldBe Status.Code.INTERNAL
                    description shouldContain "answered an interval of 0s"
                }
                watched.viewer.configure("${honest.peer}", Settings(40.milliseconds))
            }
        }

        "where there is room for no more devices, those that are there go on" {
            besideAnHonestDevice(CollectorLimits(devices = 1)) { watched, _ ->
                hostile(watched) { collector ->
                    val status = failureOf { collector.report(silence()).collect() }
                    status.code shouldBe Status.Code.RESOURCE_EXHAUSTED
                    status.description shouldContain "no room for device ${this@hostile.peer}"
                }
            }
        }
    })

/** A device that is not ours, in [block] of which [collector] is called. */
private class Hostile(
    scope: CoroutineScope,
    val peer: PeerId,
) : CoroutineScope by scope

/** Runs [block] as a device of its own making; returns its id. */
private suspend fun hostile(
    watched: Watched,
    configure: GrpcPeerBuilder.() -> Unit = {},
    block: suspend Hostile.(CollectorCoroutineStub) -> Unit,
): String =
    withGrpcPeer(configure) { peer ->
        val channel = peer.channel(watched.address, Rules.PROTOCOL)
        Hostile(this, peer.peerId()).block(CollectorCoroutineStub(channel))
        "${peer.peerId()}"
    }

/** Runs [block] while an honest device reports, which must not suffer. */
private suspend fun besideAnHonestDevice(
    limits: CollectorLimits = CollectorLimits(),
    block: suspend CoroutineScope.(Watched, Device) -> Unit,
) {
    val store = MemoryStore()
    withCollector(store, limits) { watched ->
        val honest = watched.device("honest")
        val running = launch { honest.run() }
        watched.await(honest) { it.online && it.stored > 0 }
        coroutineScope { block(watched, honest) }
        val stored = honest.counts().stored
        val seen = watched.await(honest) { it.stored > stored }
        seen.calls shouldBe 1
        seen.dropped shouldBe 0
        store.sequences(honest).let { it shouldBe (1..it.size.toLong()).toList() }
        running.cancelAndJoin()
    }
}

private fun answering(answer: suspend () -> Configuration): GrpcPeerBuilder.() -> Unit =
    {
        serve(Rules.PROTOCOL) {
            service(
                object : DeviceCoroutineImplBase() {
                    override suspend fun configure(request: Configuration) = answer()
                },
            )
        }
    }

private fun silence(): Flow<ReportRequest> = flow { awaitCancellation() }

private fun report(
    reading: Reading,
    run: Long = 1,
) = report(listOf(reading), run)

private fun report(
    readings: List<Reading>,
    run: Long = 1,
    first: Long = 1,
) = reportRequest { batch = Batch(run, first, readings, dropped = 0, waiting = 0).toMessage() }

/** The batch of that number, as long as one may be. */
private fun full(number: Int): ReportRequest {
    val readings = List(Rules.BATCH) { Reading(Instant.now(), "x".repeat(24), 1.0) }
    return report(readings, first = 1L + number * Rules.BATCH)
}
