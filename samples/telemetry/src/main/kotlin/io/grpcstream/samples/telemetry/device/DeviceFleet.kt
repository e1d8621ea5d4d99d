package io.grpcstream.samples.telemetry.device

import io.grpcstream.libp2p.Multiaddr
import io.grpcstream.libp2p.crypto.PrivateKey
import io.grpcstream.samples.telemetry.Settings
import io.netty.channel.MultiThreadIoEventLoopGroup
import io.netty.channel.nio.NioIoHandler
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds

/**
 * Many devices in one process, each a peer of its own with a key of its own. They share two event
 * loops; a device alone needs no such thing.
 *
 * @param name what their names begin with
 * @param folder where their keys are kept: started again with the same folder, they are the same
 * @param buffer how many readings wait in each
 */
class DeviceFleet(
    name: String,
    folder: Path,
    count: Int,
    collector: Multiaddr,
    settings: Settings,
    buffer: Int,
) : AutoCloseable {
    private val loops = MultiThreadIoEventLoopGroup(2, NioIoHandler.newFactory())

    /** All of them. */
    val devices: List<Device> =
        List(count) {
            val full = "%s-%03d".format(name, it + 1)
            Device(
                full,
                PrivateKey.loadOrCreate(folder.resolve("$full.key")),
                collector,
                SimulatedSensor(Random(full.hashCode())),
                settings,
                ReadingBuffer(buffer),
                loops,
            )
        }

    /** Starts them, not all at once; they run until the job is cancelled. */
    fun start(scope: CoroutineScope): Job =
        scope.launch {
            for (device in devices) {
                launch { device.run() }
                delay(STAGGER)
            }
        }

    /** Waits until all that they have measured is stored or dropped; they should be paused. */
    suspend fun awaitDrained() {
        while (devices.any { it.counts().waiting > 0 }) {
            delay(LOOK_AGAIN)
        }
    }

    /** Ends the event loops: after the devices. */
    override fun close() {
        loops.shutdownGracefully(0, 5, TimeUnit.SECONDS).awaitUninterruptibly()
    }

    private companion object {
        val STAGGER = 10.milliseconds
        val LOOK_AGAIN = 50.milliseconds
    }
}
