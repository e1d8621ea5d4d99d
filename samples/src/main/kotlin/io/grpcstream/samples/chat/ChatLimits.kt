package io.grpcstream.samples.chat

import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** What one peer can cost another. */
object ChatLimits {
    /** The longest line, in UTF-16 units; a peer that sends a longer one is parted with. */
    const val TEXT_LENGTH: Int = 2_000

    /** The most peers in a room, beside oneself. */
    const val PEERS: Int = 32

    /** The most addresses of one peer that are believed and told on. */
    const val ADDRESSES: Int = 8

    /** The largest message in bytes: all peers with all their addresses fit in. */
    const val MESSAGE_BYTES: Int = 64 * 1024

    /** How many messages wait for one peer, beyond gRPC's own window, before it is too slow. */
    const val OUTBOX: Int = 256

    /** How many events wait to be shown before peers are no longer read from. */
    const val EVENTS: Int = 256

    /** How long a peer has to say that it is here. */
    val GREETING: Duration = 10.seconds

    /** How long the last words have to reach the others when leaving. */
    val GOODBYE: Duration = 2.seconds

    /** The time between two lines of ours: what is pasted should not make every peer too slow. */
    val PACE: Duration = 20.milliseconds
}
