package io.grpcstream.samples.edge

import io.grpc.StatusException
import io.grpcstream.libp2p.PeerId
import io.kotest.assertions.throwables.shouldThrow
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.withTimeout
import kotlin.time.Duration.Companion.minutes

/** A peer under test, and what it tells. */
internal class Watched(
    val peer: EdgePeer,
    private val events: Channel<EdgeEvent>,
) {
    /** Waits for the next event of this type about [other]; those before are passed over. */
    suspend inline fun <reified E : EdgeEvent> sees(other: PeerId): E {
        while (true) {
            val event = next()
            if (event is E && event.peer == other) return event
        }
    }

    /** The next event. */
    suspend fun next(): EdgeEvent = events.receive()
}

/** Runs [block] with a peer that has [options]; fails if that takes for ever. */
internal suspend fun <T> withEdgePeer(
    options: EdgeOptions = EdgeOptions(),
    block: suspend (Watched) -> T,
): T =
    withTimeout(1.minutes) {
        val events = Channel<EdgeEvent>(Channel.UNLIMITED)
        EdgePeer.run(options, { events.trySend(it) }) { block(Watched(it, events)) }
    }

/** The status with which [block] fails, as `CODE: description`. */
internal suspend fun failure(block: suspend () -> Unit): String? =
    shouldThrow<StatusException> { block() }.message
