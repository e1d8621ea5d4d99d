package io.grpcstream.samples.benchmarks.hostile

import io.grpcstream.libp2p.Multiaddr

/** Where the host under attack is, and what it serves there. */
internal class Target(
    val address: Multiaddr,
    val protocol: String,
)

/**
 * One attack, as several threads carry it out.
 *
 * @property title its name in the result
 * @property unit what is counted
 * @property most how much of it there is in one round, so that no machine runs out of anything
 * @property open what an attacker needs; for each round anew
 * @property isTurnedAway whether the host, at some point, has no more of it
 */
internal enum class Attack(
    val title: String,
    val unit: String,
    val most: Int,
    val open: (Target) -> Attacker,
    val isTurnedAway: Boolean = false,
) {
    /** No attack: what the attacker's CPU time alone costs who shares the machine with it. */
    CPU("cpu-alone", "rounds of 1 ms", Int.MAX_VALUE, { CpuAlone() }),

    // Connections that get no further than a stage, again and again.
    CONNECT("connect-and-leave", "connects", 20_000, { RawChurn(it, RawStage.CONNECTED) }),
    MULTISTREAM(
        "half-a-multistream",
        "connects",
        20_000,
        { RawChurn(it, RawStage.HALF_MULTISTREAM) },
    ),
    NOISE("half-a-noise-handshake", "connects", 20_000, { RawChurn(it, RawStage.HALF_NOISE) }),
    TLS("half-a-client-hello", "connects", 20_000, { RawChurn(it, RawStage.HALF_CLIENT_HELLO) }),
    NO_MUXER("secured-without-muxer", "connects", 10_000, { SecuredChurn(it) }),
    STREAMS("streams-opened-and-left", "streams", 20_000, { MuxedChurn(it) }),

    // What strangers tell about themselves.
    PUSH("identify-push-and-leave", "pushes", 1_500, { IdentifyPush(it, stay = false) }),
    PUSH_AND_STAY("identify-push-and-stay", "pushes", 100, { IdentifyPush(it, stay = true) }),

    // Calls and streams that are begun and not ended, or ended too soon.
    UNFINISHED("unfinished-messages", "calls", 100, { UnfinishedMessages(it) }),
    HALF_MESSAGES("half-messages", "calls", 1_000, { HalfMessages(it) }),
    RESETS("rapid-reset", "resets", 1_000_000, { RapidReset(it) }, isTurnedAway = true),
    HALF_HEADERS("half-sent-headers", "streams", 200, { HalfHeaders(it) }),
    NO_PREFACE("preface-never-sent", "streams", 200, { NoPreface(it) }),
    ;

    companion object {
        fun named(title: String): Attack? = entries.find { it.title == title }
    }
}

/** Carries out one attack; [close] lets go of all that it holds. */
internal interface Attacker : AutoCloseable {
    /**
     * Does it once more, and blocks until that is done; called by [THREADS] threads.
     *
     * @param thread which of them
     * @return how much was done
     * @throws java.io.IOException if the host would not have it
     */
    fun act(thread: Int): Int

    override fun close() = Unit

    companion object {
        const val THREADS = 2
    }
}

private class CpuAlone : Attacker {
    override fun act(thread: Int): Int {
        val end = System.nanoTime() + 1_000_000
        while (System.nanoTime() < end) Thread.onSpinWait()
        return 1
    }
}
