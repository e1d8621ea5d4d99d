package io.grpcstream.samples.telemetry

import io.grpc.Status
import io.grpc.StatusException
import io.grpcstream.GrpcPeer
import io.grpcstream.GrpcStream
import io.grpcstream.kotlin.withGrpcPeer
import io.grpcstream.libp2p.Multiaddr
import io.grpcstream.libp2p.PeerId
import io.grpcstream.libp2p.crypto.PrivateKey
import io.grpcstream.samples.telemetry.collector.Collector
import io.grpcstream.samples.telemetry.collector.CollectorLimits
import io.grpcstream.samples.telemetry.demo.Seen
import io.grpcstream.samples.telemetry.demo.Viewer
import io.grpcstream.samples.telemetry.device.Device
import io.grpcstream.samples.telemetry.device.ReadingBuffer
import io.grpcstream.samples.telemetry.device.SimulatedSensor
import io.grpcstream.samples.telemetry.store.Added
import io.grpcstream.samples.telemetry.store.Arrival
import io.grpcstream.samples.telemetry.store.ReadingStore
import io.grpcstream.samples.telemetry.store.StoredDevice
import io.grpcstream.telemetry.DashboardGrpcKt.DashboardCoroutineStub
import io.grpcstream.telemetry.DeviceStatus
import io.kotest.assertions.throwables.shouldThrow
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import java.io.IOException
import java.time.Instant
import java.util.concurrent.Semaphore
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes

/** A collector in memory, with somebody who watches it. */
class Watched(
    val collector: Collector,
    val peer: GrpcPeer,
    val viewing: GrpcPeer,
    val viewer: Viewer,
) {
    val address: Multiaddr get() = peer.addresses().first()

    val dashboard: DashboardCoroutineStub
        get() = DashboardCoroutineStub(viewing.channel(address, GrpcStream.PROTOCOL))

    /** Waits until that is to be seen of the device. */
    suspend fun await(
        device: Device,
        condition: (DeviceStatus) -> Boolean,
    ): DeviceStatus =
        viewer
            .await { it.device(device)?.let(condition) == true }
            .let { checkNotNull(it.device(device)) }

    private fun Seen.device(device: Device) = devices["${device.peer}"]
}

/** Runs [block] beside a collector with [store]. */
suspend fun withCollector(
    store: ReadingStore = MemoryStore(),
    limits: CollectorLimits = CollectorLimits(),
    key: PrivateKey = PrivateKey.generateEd25519(),
    listen: String = "/memory/0",
    block: suspend CoroutineScope.(Watched) -> Unit,
) = withContext(Dispatchers.Default) {
    withTimeout(2.minutes) {
        val collector = Collector(store, limits)
        collector.run({
            identity(key)
            listen(listen)
        }) { peer ->
            withGrpcPeer({}) { viewing ->
                val address = peer.addresses().first()
                val viewer = Viewer(viewing.channel(address, GrpcStream.PROTOCOL))
                val watching = launch { viewer.watch(interval = 100.milliseconds) }
                block(Watched(collector, peer, viewing, viewer))
                watching.cancel()
            }
        }
    }
}

/** A device of that collector, which does not run yet. */
fun Watched.device(
    name: String = "device",
    key: PrivateKey = PrivateKey.generateEd25519(),
    buffer: ReadingBuffer = ReadingBuffer(capacity = 100),
    settings: Settings = Settings(50.milliseconds),
): Device = deviceOf(address, key, buffer, name, settings)

/** A device of the collector at [address], which does not run yet. */
fun deviceOf(
    address: Multiaddr,
    key: PrivateKey,
    buffer: ReadingBuffer,
    name: String = "device",
    settings: Settings = Settings(50.milliseconds),
): Device = Device(name, key, address, SimulatedSensor(Random(1)), settings, buffer)

/** Readings in memory, which waits for [permits] and fails where it is told to. */
class MemoryStore(
    private val permits: Semaphore? = null,
) : ReadingStore {
    private val readings = HashMap<Triple<String, Long, Long>, Reading>()
    private val known = LinkedHashMap<String, StoredDevice>()
    private val dropped = HashMap<Pair<String, Long>, Long>()

    /** The readings in each transaction. */
    val transactions = mutableListOf<Int>()

    @Volatile
    var broken: Boolean = false

    override fun append(arrivals: List<Arrival>): List<Added> {
        permits?.acquireUninterruptibly()
        if (broken) {
            throw IOException("no space left on the device")
        }
        synchronized(this) {
            transactions += arrivals.sumOf { it.batch.readings.size }
            return arrivals.map(::add)
        }
    }

    private fun add(arrival: Arrival): Added {
        val device = "${arrival.peer}"
        val batch = arrival.batch
        val stored =
            batch.readings.withIndex().count { (index, reading) ->
                readings.put(Triple(device, batch.run, batch.first + index), reading) == null
            }
        val before = dropped.put(device to batch.run, batch.dropped) ?: 0
        val added = Added(stored, batch.dropped - before)
        val old = known.remove(device)
        known[device] =
            StoredDevice(
                arrival.peer,
                arrival.name,
                arrival.time,
                (old?.stored ?: 0) + added.stored,
                (old?.dropped ?: 0) + added.dropped,
            )
        return added
    }

    /** Has heard of [count] devices, some time ago. */
    @Synchronized
    fun know(count: Int) {
        repeat(count) {
            val peer = PeerId.of(PrivateKey.generateEd25519().publicKey())
            known["$peer"] = StoredDevice(peer, "device $it", Instant.EPOCH, 0, 0)
        }
    }

    @Synchronized
    override fun devices(most: Int): List<StoredDevice> = known.values.reversed().take(most)

    /** The sequence numbers that are stored of a run, in order. */
    @Synchronized
    fun sequences(device: Device): List<Long> =
        readings.keys
            .filter { (peer, run) -> peer == "${device.peer}" && run == device.run }
            .map { it.third }
            .sorted()

    override fun close() = Unit
}

/** The status with which [call] fails. */
suspend fun failureOf(call: suspend () -> Unit): Status =
    shouldThrow<StatusException> { call() }.status
