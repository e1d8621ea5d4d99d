package io.grpcstream.samples.replicas

import io.grpc.Status
import io.grpcstream.libp2p.PeerId
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.LongAdder

/** Which peers have answered calls, and how other calls have failed. For any thread. */
class Tally {
    private val answers = ConcurrentHashMap<PeerId, LongAdder>()
    private val failures = ConcurrentHashMap<Status.Code, Failures>()

    /** How many calls were answered, by the peer that did. */
    fun answered(): Map<PeerId, Long> = answers.mapValues { it.value.sum() }

    /** How many calls [peer] has answered. */
    fun answered(peer: PeerId): Long = answers[peer]?.sum() ?: 0

    /** How many calls have failed. */
    fun failed(): Long = failures.values.sumOf { it.calls.sum() }

    /** For each code of a status with which calls have failed: how many did, and the first one's text. */
    fun failures(): List<String> =
        failures.map { (code, of) -> "${of.calls.sum()} times $code: ${of.first}" }

    /** How many calls have ended, one way or the other. */
    fun ended(): Long = answered().values.sum() + failed()

    internal fun answer(peer: PeerId) = answers.computeIfAbsent(peer) { LongAdder() }.increment()

    internal fun failure(status: Status) {
        failures.computeIfAbsent(status.code) { Failures(status.description) }.calls.increment()
    }

    private class Failures(
        val first: String?,
    ) {
        val calls = LongAdder()
    }
}
