package io.grpcstream.samples.peercurl

import com.google.gson.JsonObject
import io.grpcstream.GrpcStream
import io.grpcstream.libp2p.PeerId
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.TimeoutCancellationException
import kotlinx.coroutines.delay
import kotlinx.coroutines.future.await
import kotlinx.coroutines.withTimeout
import picocli.CommandLine.Command
import picocli.CommandLine.Option
import kotlin.math.sqrt
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeMark
import kotlin.time.TimeSource

/** Round trips to a peer, as ping has them. */
@Command(
    name = "ping",
    header = ["Measure round trips to a peer."],
    description = [
        "By libp2p's ping, until Ctrl-C or as often as -c says. Exits with 1 if none was answered.",
    ],
)
internal class PingCommand : DialingCommand() {
    @Option(names = ["-c", "--count"], paramLabel = "N", description = ["Send N pings."])
    var count: Int? = null

    @Option(
        names = ["-i", "--interval"],
        paramLabel = "TIME",
        description = ["The time from ping to ping (default: 1s)."],
    )
    var interval: Duration? = null

    @Option(
        names = ["-W", "--timeout"],
        paramLabel = "TIME",
        description = ["Wait so long for each answer (default: 10s)."],
    )
    var timeout: Duration? = null

    private val begin: TimeMark = TimeSource.Monotonic.markNow()
    private var sent = 0
    private val roundTrips = ArrayList<Long>()

    @Volatile private var name: PeerId? = null

    override suspend fun CoroutineScope.run(): Int {
        count?.let { if (it <= 0) throw Failure.usage("-c $it: expected a number of pings") }
        withHost { peer ->
            val connection = peer.connect()
            name = connection.remotePeer()
            if (!console.json) {
                console.println(
                    "PING ${connection.remotePeer()} at ${connection.remoteAddress()}, " +
                        "${connection.security()}: 32 bytes",
                )
            }
            val pause = interval ?: 1.seconds
            while (true) {
                val next = TimeSource.Monotonic.markNow() + pause
                one(connection.remotePeer()) {
                    peer
                        .host()
                        .ping(it)
                        .await()
                        .toNanos()
                }
                if (sent == count) break
                delay(-next.elapsedNow())
            }
        }
        return summary()
    }

    private suspend fun one(
        peer: PeerId,
        ping: suspend (PeerId) -> Long,
    ) {
        val sequence = ++sent
        try {
            val nanos = withTimeout(timeout ?: Duration.INFINITE) { ping(peer) }
            roundTrips += nanos
            answered(peer, sequence, nanos)
        } catch (e: TimeoutCancellationException) {
            failed(sequence, "no answer within $timeout")
        } catch (e: CancellationException) {
            sent-- // Nobody waits for its answer any more.
            throw e
        } catch (e: java.io.IOException) {
            failed(sequence, GrpcStream.statusOf(e).description ?: Failure.textOf(e))
        }
    }

    private fun answered(
        peer: PeerId,
        sequence: Int,
        nanos: Long,
    ) {
        if (console.json) {
            val line = JsonObject()
            line.addProperty("seq", sequence)
            line.addProperty("roundTripMillis", nanos / NANOS_PER_MILLI)
            console.println(line.toString())
        } else {
            console.println("32 bytes from $peer: seq=$sequence time=${milliseconds(nanos)}")
        }
    }

    private fun failed(
        sequence: Int,
        why: String,
    ) {
        if (console.json) {
            val line = JsonObject()
            line.addProperty("seq", sequence)
            line.addProperty("error", why)
            console.println(line.toString())
        } else {
            console.println("${console.style.bad("no answer")}: seq=$sequence: ${plainLine(why)}")
        }
    }

    /** Ctrl-C is the way to end it: the exit code is as if it had ended by itself. */
    override fun interrupted(): Int = if (name == null) Exit.INTERRUPTED else summary()

    private fun summary(): Int {
        val times = roundTrips.sorted()
        val mean = if (times.isEmpty()) 0.0 else times.average()
        val deviation =
            sqrt(times.sumOf { (it - mean) * (it - mean) } / times.size.coerceAtLeast(1))
        val took = begin.elapsedNow().inWholeMilliseconds
        if (console.json) {
            val line = JsonObject()
            line.addProperty("sent", sent)
            line.addProperty("answered", times.size)
            if (times.isNotEmpty()) {
                line.addProperty("minMillis", times.first() / NANOS_PER_MILLI)
                line.addProperty("avgMillis", mean / NANOS_PER_MILLI)
                line.addProperty("maxMillis", times.last() / NANOS_PER_MILLI)
                line.addProperty("mdevMillis", deviation / NANOS_PER_MILLI)
            }
            console.println(line.toString())
        } else {
            val lost = if (sent == 0) 0 else (sent - times.size) * 100 / sent
            console.println("\n--- $name ping statistics ---")
            console.println("$sent sent, ${times.size} answered, $lost% lost, time $took ms")
            if (times.isNotEmpty()) {
                val figures = listOf(times.first(), mean.toLong(), times.last(), deviation.toLong())
                console.println(
                    "round trip min/avg/max/mdev = " +
                        figures.joinToString("/") {
                            "%.3f".format(
                                java.util.Locale.ROOT,
                                it / NANOS_PER_MILLI,
                            )
                        } +
                        " ms",
                )
            }
        }
        return if (times.isEmpty()) Exit.FAILURE else Exit.OK
    }
}
