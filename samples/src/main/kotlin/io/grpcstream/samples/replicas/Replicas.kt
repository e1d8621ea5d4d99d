package io.grpcstream.samples.replicas

import io.grpcstream.libp2p.Multiaddr
import kotlinx.coroutines.delay
import kotlin.time.Duration.Companion.milliseconds

/** Replicas in processes of their own, and what is to be seen of them by [Load]. */
class Replicas(
    /** Each of them. */
    val all: List<ReplicaProcess>,
) : AutoCloseable {
    /** Where they are reached, once they were started. */
    val addresses: List<Multiaddr> get() = all.map { it.address }

    /** Starts all of them. */
    suspend fun start() = all.forEach { it.start() }

    /** Waits until each of them has answered [calls] more calls. */
    suspend fun allAnswer(
        tally: Tally,
        calls: Long,
    ) = all.forEach { it.answers(tally, calls) }

    override fun close() = all.forEach { it.close() }
}

/** Waits until this replica has answered [calls] more calls. */
suspend fun ReplicaProcess.answers(
    tally: Tally,
    calls: Long,
) {
    val enough = tally.answered(peer) + calls
    until { tally.answered(peer) >= enough }
}

/** Waits until so many more [calls] have ended, however they did. */
suspend fun Tally.grows(calls: Long) {
    val enough = ended() + calls
    until { ended() >= enough }
}

/** Waits until so many more [calls] have failed. */
suspend fun Tally.fails(calls: Long) {
    val enough = failed() + calls
    until { failed() >= enough }
}

private suspend fun until(condition: () -> Boolean) {
    while (!condition()) {
        delay(LOOK_AGAIN)
    }
}

private val LOOK_AGAIN = 5.milliseconds
