package io.grpcstream.samples.benchmarks.hostile

import io.grpcstream.GrpcStream
import io.grpcstream.libp2p.Host
import io.grpcstream.libp2p.Refusal
import io.grpcstream.samples.benchmarks.HostPair
import io.grpcstream.samples.benchmarks.LoadService
import io.grpcstream.samples.benchmarks.LogLines
import io.grpcstream.samples.benchmarks.Meter
import io.grpcstream.samples.benchmarks.await
import io.grpcstream.samples.benchmarks.format
import io.grpcstream.samples.benchmarks.median
import io.grpcstream.samples.benchmarks.soak.Resource
import io.grpcstream.samples.benchmarks.soak.Resources
import java.time.Duration.ZERO
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.DurationUnit

/** How long each attack is looked at. */
internal class Siege(
    val rounds: Int,
    val window: Duration,
)

/** What one attack came to. */
internal class Outcome(
    val attack: Attack,
    val ratios: List<Double>,
    val p99Micros: Double,
    val failures: Long,
    val newcomers: Long,
    val newcomersFailed: Long,
    val loots: List<Loot>,
    val attackersCpu: Double,
    val refusals: Map<Refusal, Long>,
    val heldHeap: Double,
    val heldDirect: Double,
    val logLines: Long,
)

/**
 * A host that serves, an honest caller of it, and newcomers: all in this process, and whoever attacks
 * in one of its own.
 */
internal class Besieged(
    private val log: LogLines?,
) : AutoCloseable {
    private val grpc =
        GrpcStream
            .builder()
            .addService(LoadService())
            .build()
            .serve()
    val host: Host =
        Host
            .builder()
            .listen(HostPair.TCP)
            .build()
            .start()
            .orThrow()
    val target =
        Target(
            host.listenAddresses().first(),
            PROTOCOL,
        ).also { host.handle(PROTOCOL, grpc.handler()) }
    val caller = HonestCaller(target)
    private val newcomers = Newcomers(target)

    /** Lets the JVM compile. */
    fun warmUp(window: Duration) {
        p99(window)
    }

    /** Rounds with the attack and rounds without, in turns. */
    fun endure(
        attack: Attack,
        siege: Siege,
    ): Outcome {
        val failures = caller.failures
        val came = newcomers.count
        val failed = newcomers.failures
        val refusals = host.stats().refusals
        val lines = log?.count() ?: 0
        val before = Resources.now()
        val quiet = mutableListOf<Double>()
        val attacked = mutableListOf<Round>()
        repeat(siege.rounds) { round ->
            if (round % 2 == 0) quiet += p99(siege.window)
            attacked += attacked(attack, siege.window)
            if (round % 2 == 1) quiet += p99(siege.window)
        }
        return Outcome(
            attack,
            attacked.zip(quiet) { a, q -> a.p99 / q }.sorted(),
            attacked.map { it.p99 }.median(),
            caller.failures - failures,
            newcomers.count - came,
            newcomers.failures - failed,
            attacked.map { it.loot },
            attacked.map { it.cpu }.median(),
            host
                .stats()
                .refusals
                .mapValues { (refusal, times) -> times - (refusals[refusal] ?: 0) }
                .filterValues { it > 0 },
            attacked.maxOf { it.held[Resource.HEAP] } - before[Resource.HEAP],
            attacked.maxOf { it.held[Resource.DIRECT] } - before[Resource.DIRECT],
            (log?.count() ?: 0) - lines,
        )
    }

    private class Round(
        val p99: Double,
        val loot: Loot,
        val cpu: Double,
        val held: Resources,
    )

    private fun attacked(
        attack: Attack,
        window: Duration,
    ): Round {
        val round =
            AttackerProcess(attack, target).use { attacker ->
                // Its JVM has started, and all that it needs is there.
                awaitFirst(attacker)
                val cpu = attacker.cpu()
                val start = System.nanoTime()
                val p99 = p99(window)
                val elapsed = (System.nanoTime() - start).nanoseconds
                val cores = (attacker.cpu() - cpu) / elapsed
                val loot = attacker.loot()
                Round(p99, loot, cores, Resources.now())
            }
        await("the attackers' connections to be forgotten") {
            host.connections().all { it.remotePeer() == caller.peer } &&
                host.stats().pendingInboundConnections() == 0
        }
        return round
    }

    private fun awaitFirst(attacker: AttackerProcess) {
        do {
            Thread.sleep(LOOK_AGAIN.inWholeMilliseconds)
            val loot = attacker.loot()
        } while (loot.done + loot.refused == 0)
    }

    /** The honest caller's p99 in a [window], whatever else goes on. */
    private fun p99(window: Duration): Double {
        val meter = Meter()
        newcomers.start(Meter())
        caller.start(meter)
        try {
            Thread.sleep(window.inWholeMilliseconds)
        } finally {
            caller.stop()
            newcomers.stop()
        }
        check(meter.count() > 0) { "the honest caller got nothing done in $window" }
        return meter.latencies().getValueAtPercentile(99.0) / 1e3
    }

    override fun close() {
        newcomers.close()
        caller.close()
        grpc.shutdown(ZERO).orThrow()
        host.shutdown(ZERO).orThrow()
    }

    private companion object {
        const val PROTOCOL = "/load/1.0.0"
        val LOOK_AGAIN = 20.milliseconds
    }
}

internal fun Outcome.print() {
    val rate = loots.map { it.done / it.elapsed.toDouble(DurationUnit.SECONDS) }.median()
    println(
        "# ${attack.title}: ${loots.sumOf { it.done }} ${attack.unit}, ${rate.format(0)}/s, " +
            "${loots.sumOf { it.refused }} refused; the attacker used ${attackersCpu.format(
                1,
            )} cores",
    )
    println(
        "#   the host counted ${refusals.ifEmpty {
            "nothing"
        }}, logged $logLines lines, and held " +
            "${heldHeap.format(
                1,
            )} MiB of heap and ${heldDirect.format(1)} MiB of direct memory more",
    )
    println(
        "#   the honest caller's p99 was ${p99Micros.format(0)} µs; of $newcomers newcomers " +
            "$newcomersFailed failed; ${ratios.first().format(2)} to ${ratios.last().format(2)}:",
    )
    println("hostile:${attack.title}:p99/quiet ${ratios.median().format(2)}")
    println("hostile:${attack.title}:newcomers-failed $newcomersFailed")
    println("# should be 0:\nhostile:${attack.title}:failures $failures")
}

/** Endures [attacks]; returns whether no call of the honest caller failed. */
internal fun hostile(
    attacks: List<Attack>,
    siege: Siege,
    log: LogLines,
): Boolean =
    Besieged(log).use { besieged ->
        besieged.warmUp(siege.window * 3)
        attacks
            .map { attack ->
                log.show(LINES_SHOWN)
                besieged.endure(attack, siege).also { it.print() }
            }.all { it.failures == 0L }
    }

private const val LINES_SHOWN = 3
