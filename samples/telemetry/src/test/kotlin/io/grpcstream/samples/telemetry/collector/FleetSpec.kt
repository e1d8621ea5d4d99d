package io.grpcstream.samples.telemetry.collector

import io.grpc.Status
import io.grpcstream.libp2p.Multiaddr
import io.grpcstream.libp2p.PeerId
import io.grpcstream.libp2p.crypto.PrivateKey
import io.grpcstream.samples.telemetry.Batch
import io.grpcstream.samples.telemetry.Reading
import io.grpcstream.samples.telemetry.failureOf
import io.grpcstream.samples.telemetry.store.Added
import io.grpcstream.samples.telemetry.store.StoredDevice
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import java.time.Instant
import kotlin.time.Duration.Companion.seconds

private val HERE = Multiaddr.parse("/ip4/192.0.2.7/tcp/4001")

class FleetSpec :
    StringSpec({
        "a device is online while it has a call, and its newest call counts" {
            val fleet = Fleet(CollectorLimits())
            val ada = peer()
            val first = fleet.begin(ada, HERE)
            val second = fleet.begin(ada, HERE)
            failureOf { first.awaitReplaced() }.code shouldBe Status.Code.ABORTED
            fleet.end(first)
            fleet.device(ada)!!.online shouldBe true
            fleet.device(ada)!!.calls shouldBe 2
            fleet.end(second)
            fleet.device(ada)!!.online shouldBe false
        }

        "where there is no room, the one that is offline for longest goes, else nobody comes" {
            val fleet = Fleet(CollectorLimits(devices = 3))
            val (ada, grace, edsger) = List(3) { peer() }
            fleet.remember(
                listOf(stored(ada, seen = 2), stored(grace, seen = 1), stored(edsger, seen = 3)),
            )
            fleet.begin(grace, HERE)
            val newcomer = peer()
            fleet.begin(newcomer, HERE)
            fleet.device(ada).shouldBeNull()
            fleet.begin(edsger, HERE)
            val failure = failureOf { fleet.begin(ada, HERE) }
            failure.code shouldBe Status.Code.RESOURCE_EXHAUSTED
            failure.description shouldBe "no room for device $ada: 3 are online, the limit"
            fleet.devices().map { it.peer } shouldContainExactlyInAnyOrder
                listOf(grace, edsger, newcomer)
        }

        "it knows no more devices than it may, however many the store has" {
            val fleet = Fleet(CollectorLimits(devices = 2))
            fleet.remember(List(5) { stored(peer(), seen = 1) })
            fleet.devices().size shouldBe 2
        }

        "a rate is what was stored of late, and fades" {
            val fleet = Fleet(CollectorLimits())
            val ada = peer()
            fleet.begin(ada, HERE)
            fleet.stored(ada, Added(40, 0))
            fleet.tick(2.seconds)
            fleet.device(ada)!!.rate shouldBe 10.0
            repeat(20) { fleet.tick(2.seconds) }
            fleet.device(ada)!!.rate shouldBe 0.0
        }

        "a device that measures other things than before has those alone, in the end" {
            val fleet = Fleet(CollectorLimits())
            val ada = peer()
            fleet.begin(ada, HERE)
            fleet.told(ada, batch(List(16) { "a$it" }))
            fleet.told(ada, batch(listOf("b")))
            fleet.device(ada)!!.latest.keys shouldContainExactly setOf("b")
            val failure = failureOf { fleet.told(ada, batch(List(17) { "c$it" })) }
            failure.description shouldBe "17 metrics in a batch; a device has 16 at most"
        }

        "a viewer is told of each change once, as it is last, and of those that are forgotten" {
            val fleet = Fleet(CollectorLimits(devices = 2))
            val (ada, grace, edsger) = List(3) { peer() }
            fleet.remember(listOf(stored(ada, seen = 1), stored(grace, seen = 2)))
            val view = FleetView(fleet)
            view.next().devices.map { it.peer } shouldContainExactlyInAnyOrder listOf(ada, grace)
            view.next().devices.shouldBeEmpty()

            fleet.begin(grace, HERE)
            repeat(1_000) { fleet.stored(grace, Added(1, 0)) }
            view
                .next()
                .devices
                .single()
                .stored shouldBe 1_000

            fleet.begin(edsger, HERE)
            val last = view.next()
            last.forgotten shouldContainExactly listOf(ada)
            last.devices.map { it.peer } shouldContainExactly listOf(edsger)
            last.summary shouldBe fleet.devices().summary()
        }

        "what is told of a device that was forgotten meanwhile is nothing" {
            val fleet = Fleet(CollectorLimits())
            val ada = peer()
            fleet.told(ada, batch(listOf("a")))
            fleet.stored(ada, Added(1, 0))
            fleet.device(ada).shouldBeNull()
            fleet.begin(ada, HERE).shouldNotBeNull()
        }
    })

private fun peer(): PeerId = PeerId.of(PrivateKey.generateEd25519().publicKey())

private fun stored(
    peer: PeerId,
    seen: Long,
) = StoredDevice(peer, "device", Instant.ofEpochSecond(seen), stored = 0, dropped = 0)

private fun batch(metrics: List<String>) =
    Batch(1, 1, metrics.map { Reading(Instant.EPOCH, it, 1.0) }, dropped = 0, waiting = 0)
