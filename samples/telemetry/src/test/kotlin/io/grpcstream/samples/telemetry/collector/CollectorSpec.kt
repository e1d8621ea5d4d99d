package io.grpcstream.samples.telemetry.collector

import io.grpc.Status
import io.grpcstream.libp2p.crypto.PrivateKey
import io.grpcstream.samples.telemetry.MemoryStore
import io.grpcstream.samples.telemetry.Settings
import io.grpcstream.samples.telemetry.device
import io.grpcstream.samples.telemetry.device.ReadingBuffer
import io.grpcstream.samples.telemetry.failureOf
import io.grpcstream.samples.telemetry.withCollector
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.comparables.shouldBeGreaterThan
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import java.util.concurrent.Semaphore
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds

/** Devices, a collector and a viewer, all of them peers in memory. */
class CollectorSpec :
    StringSpec({
        "what a device measures is stored and seen, and the device is called back over its own connection" {
            val store = MemoryStore()
            withCollector(store) { watched ->
                val device = watched.device("greenhouse")
                device.listens() shouldBe false
                val running = launch { device.run() }
                val seen = watched.await(device) { it.stored > 0 && it.name == "greenhouse" }
                seen.latestList.map { it.metric } shouldContainExactlyInAnyOrder
                    listOf("battery", "humidity", "temperature")

                watched.viewer.configure(seen.peerId, Settings(1.hours, paused = true))
                device.settings.value shouldBe Settings(1.hours, paused = true)
                watched.await(device) { it.configuration.paused }
                watched.await(device) { it.stored == device.counts().measured }
                store.sequences(device) shouldBe (1..device.counts().measured).toList()
                val m = kotlin.time.TimeSource.Monotonic.markNow()
                running.cancelAndJoin()
                println("TOOK ${m.elapsedNow()}")
                watched.await(device) { !it.online && it.hasLastSeen() }
            }
        }
    })

private fun io.grpcstream.samples.telemetry.device.Device.listens() = false
