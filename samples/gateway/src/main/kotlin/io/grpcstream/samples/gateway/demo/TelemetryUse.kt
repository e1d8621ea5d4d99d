package io.grpcstream.samples.gateway.demo

import io.grpcstream.libp2p.Multiaddr
import io.grpcstream.samples.SampleProcess
import io.grpcstream.samples.gateway.KnownPeer
import java.nio.file.Path
import kotlin.io.path.createDirectories

/**
 * A collector and its devices, a process each.
 *
 * @param folder where they keep their keys, and the readings
 * @param devices how many there are
 */
internal class TelemetryUse(
    private val folder: Path,
    private val devices: Int,
) : AutoCloseable {
    private val running = mutableListOf<SampleProcess>()

    /** Starts it; returns the collector. */
    suspend fun start(): KnownPeer {
        folder.createDirectories()
        val address =
            process(
                "collector.CollectorProgramKt",
                "--key=${folder.resolve("collector.key")}",
                "--store=${folder.resolve("readings.db")}",
            ).await(Regex("^collecting at (\\S+)$"))
        process(
            "device.DevicesProgramKt",
            "--collector=$address",
            "--keys=${folder.resolve("devices")}",
            "--count=$devices",
        ).await(Regex("^$devices devices run$"))
        return KnownPeer("collector", Multiaddr.parse(address))
    }

    private fun process(
        main: String,
        vararg arguments: String,
    ): SampleProcess =
        SampleProcess("io.grpcstream.samples.telemetry.$main", arguments.toList())
            .also { running += it }

    override fun close() = running.forEach { it.close() }

    /** What there is to see of it. */
    companion object {
        /** The folder of its page, for a gateway to serve. */
        val DASHBOARD: Path = Path.of("..", "telemetry", "src", "main", "resources", "dashboard")
    }
}
