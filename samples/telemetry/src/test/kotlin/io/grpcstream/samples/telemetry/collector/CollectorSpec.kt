package io.grpcstream.samples.telemetry.collector

import io.grpc.Status
import io.grpcstream.GrpcStream
import io.grpcstream.kotlin.withGrpcPeer
import io.grpcstream.libp2p.PeerId
import io.grpcstream.libp2p.crypto.PrivateKey
import io.grpcstream.samples.telemetry.MemoryStore
import io.grpcstream.samples.telemetry.Settings
import io.grpcstream.samples.telemetry.device
import io.grpcstream.samples.telemetry.device.Device
import io.grpcstream.samples.telemetry.device.ReadingBuffer
import io.grpcstream.samples.telemetry.deviceOf
import io.grpcstream.samples.telemetry.failureOf
import io.grpcstream.samples.telemetry.store.Added
import io.grpcstream.samples.telemetry.toMessage
import io.grpcstream.samples.telemetry.withCollector
import io.grpcstream.telemetry.DashboardGrpcKt.DashboardCoroutineStub
import io.grpcstream.telemetry.configureRequest
import io.grpcstream.telemetry.listDevicesRequest
import io.grpcstream.telemetry.watchRequest
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.ints.shouldBeLessThanOrEqual
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.longs.shouldBeGreaterThanOrEqual
import io.kotest.matchers.maps.shouldHaveSize
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldStartWith
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.onEach
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import java.util.concurrent.Semaphore
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

private const val DEVICES = 1_000
private const val ROUNDS = 20L
private val PAUSED = Settings(1.hours, paused = true)

/** Devices, a collector and a viewer, all of them peers in memory. */
class CollectorSpec :
    StringSpec({
        "what a device measures is stored and seen, and it is called back over its own connection" {
            val store = MemoryStore()
            withCollector(store) { watched ->
                val device = watched.device("greenhouse")
                val running = launch { device.run() }
                val seen = watched.await(device) { it.stored > 0 && it.name == "greenhouse" }
                seen.latestList.map { it.metric } shouldContainExactlyInAnyOrder
                    listOf("battery", "humidity", "temperature")

                watched.viewer.configure(seen.peerId, PAUSED)
                device.settings.value shouldBe PAUSED
                watched.await(device) { it.configuration.paused }
                watched.await(device) { it.stored == device.counts().measured }
                store.sequences(device) shouldBe (1..device.counts().measured).toList()
                running.cancelAndJoin()
                watched.await(device) { !it.online && it.hasLastSeen() && it.rate == 0.0 }
            }
        }

        "while the store is slow a device is held up, drops its oldest, and says so" {
            val permits = Semaphore(0)
            val store = MemoryStore(permits)
            withCollector(store) { watched ->
                val buffer = ReadingBuffer(capacity = 5)
                val device = watched.device(buffer = buffer, settings = Settings(20.milliseconds))
                val running = launch { device.run() }
                watched.await(device) { it.heldUp }
                watched.viewer.seen.value.summary.heldUp shouldBe 1
                eventually(20.seconds) { device.counts().dropped shouldBeGreaterThan 20 }

                permits.release(1_000_000)
                watched.await(device) { !it.heldUp && it.dropped > 20 }
                watched.viewer.configure("${device.peer}", PAUSED)
                eventually(20.seconds) { device.counts().waiting shouldBe 0 }
                val counts = device.counts()
                counts.measured shouldBe counts.stored + counts.dropped
                watched.await(device) { it.stored == counts.stored && it.dropped == counts.dropped }
                store.sequences(device).size.toLong() shouldBe counts.stored
                running.cancelAndJoin()
            }
        }

        "a store that fails loses nothing: the device tells again" {
            val store = MemoryStore()
            withCollector(store) { watched ->
                val device = watched.device()
                val running = launch { device.run() }
                watched.await(device) { it.stored > 0 }
                store.broken = true
                val calls = watched.await(device) { !it.online }.calls
                store.broken = false
                watched.await(device) { it.calls > calls }
                watched.viewer.configure("${device.peer}", PAUSED)
                eventually(20.seconds) { device.counts().waiting shouldBe 0 }
                store.sequences(device) shouldBe (1..device.counts().measured).toList()
                running.cancelAndJoin()
            }
        }

        "a device that was away is the same when it comes back, by its key, whatever it is called" {
            val key = PrivateKey.generateEd25519()
            withCollector { watched ->
                val before = watched.device("before", key)
                val first = launch { before.run() }
                val stored = watched.await(before) { it.stored > 0 }.stored
                first.cancelAndJoin()
                watched.await(before) { !it.online }
                val after = watched.device("after", key)
                val second = launch { after.run() }
                val seen =
                    watched.await(after) {
                        it.online && it.name == "after" &&
                            it.stored > stored
                    }
                seen.peerId shouldBe "${PeerId.of(key.publicKey())}"
                seen.calls shouldBe 2
                watched.viewer.seen.value.devices shouldHaveSize 1
                second.cancelAndJoin()
            }
        }

        "a collector that is started anew knows its devices, which tell what it missed" {
            val store = MemoryStore()
            val key = PrivateKey.generateEd25519()
            coroutineScope {
                lateinit var device: Device
                lateinit var running: Job
                lateinit var address: String
                withCollector(store, key = key) { watched ->
                    address = watched.address.withoutPeerId().toString()
                    device = watched.device()
                    running = this@coroutineScope.launch(Dispatchers.Default) { device.run() }
                    watched.await(device) { it.stored > 0 }
                }
                val measured = device.counts().measured
                eventually(20.seconds) { device.counts().measured shouldBeGreaterThan measured }
                withCollector(store, key = key, listen = address) { watched ->
                    val known = watched.await(device) { true }
                    known.name shouldBe "device"
                    watched.await(device) { it.online && it.stored > measured }
                    watched.viewer.configure("${device.peer}", PAUSED)
                    eventually(20.seconds) { device.counts().waiting shouldBe 0 }
                    store.sequences(device) shouldBe (1..device.counts().measured).toList()
                    running.cancelAndJoin()
                }
            }
        }

        "who reads slowly gets the newest when it reads, not all that it missed" {
            val store = MemoryStore().apply { know(DEVICES) }
            withCollector(store) { watched ->
                val fleet = watched.collector.fleet
                val reading = Mutex(locked = true)
                val updates = AtomicInteger()
                val slow =
                    launch {
                        watched.dashboard
                            .watch(watchRequest { interval = 100.milliseconds.toMessage() })
                            .onEach { reading.withLock { updates.incrementAndGet() } }
                            .first { it.summary.stored == ROUNDS * DEVICES }
                    }
                for (round in 1..ROUNDS) {
                    fleet.devices().forEach { fleet.stored(it.peer, Added(1, 0)) }
                    watched.viewer.await { it.summary.stored == round * DEVICES }
                }
                reading.unlock()
                slow.join()
                // An update is longer than HTTP/2's window: one is read, one in each window, one in hand.
                updates.get() shouldBeLessThanOrEqual 6
            }
        }

        "who asks for what is not there is told so" {
            withCollector { watched ->
                val device = watched.device()
                val running = launch { device.run() }
                watched.await(device) { it.online }
                running.cancelAndJoin()
                watched.await(device) { !it.online }
                val dashboard = watched.dashboard

                suspend fun configuring(
                    peer: String,
                    settings: Settings = Settings(1.seconds),
                ) = failureOf {
                    dashboard.configure(
                        configureRequest {
                            peerId = peer
                            configuration = settings.toMessage()
                        },
                    )
                }
                with(configuring("${device.peer}")) {
                    code shouldBe Status.Code.UNAVAILABLE
                    description shouldStartWith "device ${device.peer} is offline, last seen at 20"
                }
                with(configuring("${watched.viewing.peerId()}")) {
                    code shouldBe Status.Code.NOT_FOUND
                    description shouldBe "no device ${watched.viewing.peerId()}"
                }
                configuring("greenhouse").code shouldBe Status.Code.INVALID_ARGUMENT
                with(configuring("${device.peer}", Settings(1.milliseconds))) {
                    code shouldBe Status.Code.INVALID_ARGUMENT
                    description shouldContain "an interval of 1ms, not in 20ms..1h"
                }
                failureOf {
                    dashboard.watch(watchRequest { interval = 1.hours.toMessage() }).collect {}
                }.description shouldContain "not in 100ms..1m"
            }
        }

        "so many viewers may watch, and one more is told that it is too many" {
            withCollector(limits = CollectorLimits(watches = 3)) { watched ->
                val begun = List(2) { Job() }
                val watching =
                    begun.map { first ->
                        launch {
                            watched.dashboard
                                .watch(
                                    watchRequest { },
                                ).collect { first.complete() }
                        }
                    }
                begun.joinAll()
                val failure = failureOf { watched.dashboard.watch(watchRequest { }).collect {} }
                failure.code shouldBe Status.Code.RESOURCE_EXHAUSTED
                failure.description shouldBe "3 viewers watch already, the limit"
                watching.forEach { it.cancelAndJoin() }
            }
        }

        "who is on no list neither reports nor watches" {
            val key = PrivateKey.generateEd25519()
            val nobody =
                Admission(devices = setOf(PeerId.of(key.publicKey())), viewers = emptySet())
            val collector = Collector(MemoryStore(), admission = nobody)
            collector.run({ listen("/memory/0") }) { peer ->
                val address = peer.addresses().first()
                withGrpcPeer({}) { stranger ->
                    val channel = stranger.channel(address, GrpcStream.PROTOCOL)
                    failureOf {
                        DashboardCoroutineStub(
                            channel,
                        ).listDevices(listDevicesRequest { })
                    }.code shouldBe Status.Code.PERMISSION_DENIED
                }
                val buffers = List(2) { ReadingBuffer(capacity = 100) }
                val keys = listOf(key, PrivateKey.generateEd25519())
                val running =
                    keys.zip(buffers).map { (its, buffer) ->
                        launch { deviceOf(address, its, buffer).run() }
                    }
                eventually(20.seconds) { buffers[0].counts().stored shouldBeGreaterThanOrEqual 3 }
                buffers[1].counts().stored shouldBe 0
                collector.fleet.devices().map { it.peer } shouldBe
                    listOf(PeerId.of(key.publicKey()))
                running.forEach { it.cancelAndJoin() }
            }
        }
    })
