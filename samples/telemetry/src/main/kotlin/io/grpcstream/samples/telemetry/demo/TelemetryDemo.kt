package io.grpcstream.samples.telemetry.demo

import io.grpcstream.GrpcStream
import io.grpcstream.kotlin.withGrpcPeer
import io.grpcstream.samples.telemetry.Settings
import io.grpcstream.samples.telemetry.store.SqliteStore
import io.grpcstream.telemetry.DeviceStatus
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import java.nio.file.Files
import java.nio.file.Path
import kotlin.system.exitProcess
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

/**
 * A collector and three fleets of devices, as four processes: the devices report, one is configured,
 * the store is slow for a while, a fleet is killed and comes back. In the end it adds up what the
 * devices have measured and what the store has.
 */
fun main() {
    val folder = Files.createTempDirectory("telemetry")
    val passed =
        try {
            runBlocking(Dispatchers.Default) {
                withTimeout(3.minutes) { TelemetryDemo(folder, ::println).run() }
            }
        } finally {
            folder.toFile().deleteRecursively()
        }
    exitProcess(if (passed) 0 else 1)
}

/**
 * The demo, at a size of one's choice.
 *
 * @param folder where keys and readings are kept
 * @param devices how many there are in each of the three fleets
 * @param look for how long each scene is watched
 */
internal class TelemetryDemo(
    private val folder: Path,
    private val say: (String) -> Unit,
    private val devices: Int = 40,
    private val look: Duration = 2.seconds,
) {
    private val start = TimeSource.Monotonic.markNow()
    private val all = FLEETS.size * devices

    /** Plays it; returns whether all added up. */
    suspend fun run(): Boolean {
        val told =
            CollectorProcess(folder, SILENCE, TRANSACTION).use { collector ->
                val address = collector.address()
                tell("the collector is at $address")
                val fleets =
                    FLEETS.map {
                        FleetProcess(it, folder, devices, address, INTERVAL, BUFFER)
                    }
                try {
                    withGrpcPeer({}) { peer ->
                        val viewer = Viewer(peer.channel(address, GrpcStream.PROTOCOL))
                        val watching = launch { viewer.watch() }
                        val told = Scenes(collector, fleets, viewer).play()
                        watching.cancel()
                        told
                    }.also {
                        fleets.forEach { it.stop() }
                        collector.hangUp()
                        collector.awaitExit()
                    }
                } finally {
                    fleets.forEach { it.close() }
                }
            }
        return addsUp(told)
    }

    private fun addsUp(told: List<Told>): Boolean {
        val runs = SqliteStore(folder.resolve(CollectorProcess.STORE)).use { it.runs() }
        val balance = Balance(told, runs)
        tell("in the end:")
        tell("  ${balance.measured} readings measured by ${told.size} devices")
        tell("  ${balance.kept} of them stored, each once")
        tell("  ${balance.dropped} dropped, as the devices reported")
        tell("  ${balance.ofKilled} more stored of devices that were killed, without a gap")
        balance.errors.forEach { tell("  WRONG: $it") }
        if (balance.errors.isEmpty()) tell("  it adds up") else tell("  it does not add up")
        return balance.errors.isEmpty()
    }

    private fun tell(what: String) =
        say(
            "%5.1f s  %s".format(start.elapsedNow().inWholeMilliseconds / 1e3, what),
        )

    private inner class Scenes(
        private val collector: CollectorProcess,
        private val fleets: List<FleetProcess>,
        private val viewer: Viewer,
    ) {
        suspend fun play(): List<Told> {
            coroutineScope { fleets.forEach { launch { it.start() } } }
            viewer.await { it.summary.online == all }
            tell("$all devices of ${fleets.size} processes are online; none of them listens")
            look()
            configureOne()
            slowStore()
            killOne(fleets.last())
            return drain()
        }

        private suspend fun look() {
            delay(look)
            numbers()
        }

        private fun numbers() {
            val now = viewer.seen.value.summary
            val took =
                now.storeTime.seconds.seconds.inWholeMilliseconds + now.storeTime.nanos / 1_000_000
            tell(
                "  %d online, %.0f readings/s, %d stored, %d dropped, %d devices held up, store takes %d ms"
                    .format(now.online, now.rate, now.stored, now.dropped, now.heldUp, took),
            )
        }

        private suspend fun configureOne() {
            val device =
                viewer.seen.value.devices.values
                    .minBy { it.name }
            val before = viewer.await { it.device(device).rate > 0 }.device(device)
            viewer.configure(before.peerId, Settings(FAST))
            tell("${before.name} is called back, over its own connection: measure each $FAST")
            val after =
                viewer
                    .await { it.device(before).rate > 2 * before.rate }
                    .device(before)
            tell("  it did %.1f readings/s, and does %.1f".format(before.rate, after.rate))
        }

        private suspend fun slowStore() {
            val before = viewer.seen.value.summary
            collector.slowStore(SLOW)
            tell("the store takes $SLOW longer for every $TRANSACTION readings")
            viewer.await { it.summary.dropped > before.dropped }
            tell("  devices wait for it, and drop their oldest readings where $BUFFER wait")
            look()
            collector.slowStore(Duration.ZERO)
            tell("the store is fast again")
            viewer.await { it.summary.heldUp == 0 }
            numbers()
        }

        private suspend fun killOne(fleet: FleetProcess) {
            val ids = viewer.seen.value.idsOf(fleet)
            fleet.kill()
            val killed = TimeSource.Monotonic.markNow()
            tell("fleet ${fleet.name} is killed")
            viewer.await { seen -> ids.none { seen.devices.getValue(it).online } }
            tell("  its $devices devices are offline, seen after ${killed.elapsedNow().rounded()}")
            numbers()
            fleet.start()
            viewer.await { seen -> ids.all { seen.devices.getValue(it).online } }
            tell("  it is started again: the same $devices devices are online")
            look()
        }

        private suspend fun drain(): List<Told> {
            val paused = Settings(INTERVAL, paused = true)
            coroutineScope {
                viewer.seen.value.devices.keys
                    .map { async { viewer.configure(it, paused) } }
                    .awaitAll()
            }
            tell("all $all devices are called back: pause, and tell what is left")
            return coroutineScope { fleets.map { async { it.drain() } }.awaitAll() }.flatten()
        }
    }

    private companion object {
        val FLEETS = listOf("north", "east", "south")
        val INTERVAL = 500.milliseconds
        val FAST = 50.milliseconds

        /** So few that a slow store is felt within seconds; a device of yours has room for hours. */
        const val BUFFER = 24
        const val TRANSACTION = 128
        val SLOW = 1.seconds

        /** So that devices whose network is cut off would be noticed soon. */
        val SILENCE = 2.seconds

        fun Seen.device(of: DeviceStatus) = devices.getValue(of.peerId)

        fun Seen.idsOf(fleet: FleetProcess): List<String> =
            devices.values.filter { it.name.startsWith("${fleet.name}-") }.map { it.peerId }

        fun Duration.rounded() = inWholeMilliseconds.milliseconds
    }
}
