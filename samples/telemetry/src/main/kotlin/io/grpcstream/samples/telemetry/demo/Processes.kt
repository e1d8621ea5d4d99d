package io.grpcstream.samples.telemetry.demo

import io.grpcstream.libp2p.Multiaddr
import io.grpcstream.libp2p.PeerId
import io.grpcstream.samples.SampleProcess
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runInterruptible
import java.nio.file.Path
import kotlin.time.Duration

/** A collector in a process of its own. */
internal class CollectorProcess(
    folder: Path,
    silence: Duration,
    transaction: Int,
) : SampleProcess(
        "io.grpcstream.samples.telemetry.collector.CollectorProgramKt",
        listOf(
            "--key=${folder.resolve("collector.key")}",
            "--store=${folder.resolve(STORE)}",
            "--silence=$silence",
            "--transaction=$transaction",
        ),
    ) {
    /** Where it is reached. */
    suspend fun address(): Multiaddr =
        Multiaddr.parse(await(Regex("^collecting at (\\S+127\\.0\\.0\\.1\\S+)$")))

    /** Makes each transaction of its store take so much longer. */
    suspend fun slowStore(delay: Duration) {
        type("store $delay")
        await(Regex("^each transaction takes $delay longer"))
    }

    companion object {
        /** The file of the readings. */
        const val STORE: String = "readings.db"
    }
}

/** Devices in a process of their own. */
internal class FleetProcess(
    val name: String,
    private val folder: Path,
    private val count: Int,
    private val collector: Multiaddr,
    private val interval: Duration,
    private val buffer: Int,
) : AutoCloseable {
    private var running: SampleProcess? = null

    private val process: SampleProcess
        get() = checkNotNull(running) { "fleet $name does not run" }

    /** Starts it, for the first time or again: the devices are the same. */
    suspend fun start() {
        check(running == null) { "fleet $name runs" }
        running =
            SampleProcess(
                "io.grpcstream.samples.telemetry.device.DevicesProgramKt",
                listOf(
                    "--collector=$collector",
                    "--keys=${folder.resolve(name)}",
                    "--name=$name",
                    "--count=$count",
                    "--interval=$interval",
                    "--buffer=$buffer",
                ),
            )
        process.await(Regex("^$count devices run$"))
    }

    /** Kills it (SIGKILL): it can tell nobody. */
    suspend fun kill() {
        process.kill()
        awaitEnd()
    }

    /** Waits until its devices have nothing left to tell; what has become of their readings. */
    suspend fun drain(): List<Told> {
        process.type("drain")
        return List(count) { Told.parse(process.await(Regex("^counts (.*)$"))) }
    }

    /** Ends its input, and waits until it has ended. */
    suspend fun stop() {
        process.hangUp()
        awaitEnd()
    }

    private suspend fun awaitEnd() {
        process.awaitExit()
        running = null
    }

    override fun close() {
        running?.close()
    }
}

/** Waits until it has ended; returns its exit code. */
internal suspend fun SampleProcess.awaitExit(): Int =
    runInterruptible(Dispatchers.IO) { process.waitFor() }

/** What a device says has become of its readings, in one run of it. */
internal data class Told(
    val peer: PeerId,
    val run: Long,
    val measured: Long,
    val stored: Long,
    val dropped: Long,
) {
    companion object {
        /** Reads `PEER RUN measured N stored N dropped N`. */
        fun parse(line: String): Told {
            val words = line.split(' ')

            fun number(after: String) = words[words.indexOf(after) + 1].toLong()
            return Told(
                PeerId.parse(words[0]),
                words[1].toLong(),
                number("measured"),
                number("stored"),
                number("dropped"),
            )
        }
    }
}
