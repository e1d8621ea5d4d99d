package io.grpcstream.samples.replicas

import io.grpc.ManagedChannel
import io.grpcstream.kotlin.use
import io.grpcstream.kotlin.withGrpcPeer
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import java.nio.file.Files
import kotlin.time.Duration
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource
import kotlin.time.measureTime

private const val PER_SECOND = 1_000
private const val SECOND = PER_SECOND.toLong() // so many calls
private val PATIENCE = 3.minutes

/**
 * Three replicas of a greeter as three processes, and a peer that calls them 1,000 times a second
 * while they are killed, restarted, slow and sick. For each it prints what became of the calls.
 */
fun main() {
    val folder = Files.createTempDirectory("replicas")
    try {
        Replicas(listOf("ada", "grace", "edsger").map { ReplicaProcess(it, folder) }).use {
            runBlocking(Dispatchers.Default) { withTimeout(PATIENCE) { ReplicasDemo(it).run() } }
        }
    } finally {
        folder.toFile().deleteRecursively()
    }
}

private class ReplicasDemo(
    private val replicas: Replicas,
) {
    private val ada = replicas.all.first()

    suspend fun run() {
        replicas.start()
        replicas.all.forEach { println("${it.name} serves at ${it.address}") }
        withGrpcPeer({}) { caller ->
            fun calls(
                retries: Boolean,
                timeout: Duration = 30.seconds,
            ) = caller.host().greeters(replicas.addresses, retries, timeout)

            calls(retries = false).use {
                spread(it)
                killed(it, "without a retry policy")
            }
            calls(retries = true).use { killed(it, "with a retry policy") }
            calls(retries = false).use {
                restarted(it)
                shunned(it, Mood.NOT_SERVING)
                shunned(it, Mood.FAILING)
            }
            calls(retries = false, timeout = 1.seconds).use { shunned(it, Mood.SLOW) }
        }
    }

    private suspend fun spread(channel: ManagedChannel) =
        shown(channel, "all three serve") { tally ->
            replicas.allAnswer(tally, 1)
            tally.grows(2 * SECOND)
        }

    private suspend fun killed(
        channel: ManagedChannel,
        how: String,
    ) = shown(channel, "${ada.name} is killed, $how") { tally ->
        replicas.allAnswer(tally, SECOND)
        ada.kill()
        tally.grows(SECOND)
        ada.start()
        val back = measureTime { ada.answers(tally, 1) }
        println("  ${ada.name} serves again, and is called after $back")
    }

    private suspend fun restarted(channel: ManagedChannel) =
        shown(channel, "all are restarted, one after the other, without a retry policy") { tally ->
            for (replica in replicas.all) {
                replicas.allAnswer(tally, 1)
                replica.stop()
                replica.start()
            }
            replicas.allAnswer(tally, 1)
        }

    private suspend fun shunned(
        channel: ManagedChannel,
        mood: Mood,
    ) = shown(channel, "${ada.name} is ${mood.order}") { tally ->
        replicas.allAnswer(tally, 1)
        ada.become(mood)
        val left = TimeSource.Monotonic.markNow()
        tally.grows(4 * SECOND)
        println("  after ${left.elapsedNow()}: ${tally.text()}")
        ada.become(Mood.WELL)
        val back = measureTime { ada.answers(tally, 1) }
        println("  ${ada.name} is well, and is called after $back")
    }

    private suspend fun shown(
        channel: ManagedChannel,
        what: String,
        block: suspend (Tally) -> Unit,
    ) {
        println("\n$what")
        val start = TimeSource.Monotonic.markNow()
        val tally = Load(channel, PER_SECOND).during { block(it) }
        println("  ${tally.ended()} calls in ${start.elapsedNow()}: ${tally.text()}")
    }

    private fun Tally.text(): String {
        val answered = replicas.all.joinToString { "${it.name} ${answered(it.peer)}" }
        return "$answered, failed ${failed()}" + failures().joinToString("") { "\n    $it" }
    }
}
