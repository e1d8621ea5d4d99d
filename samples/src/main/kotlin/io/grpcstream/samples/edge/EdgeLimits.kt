package io.grpcstream.samples.edge

import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/** What one peer can cost another. */
object EdgeLimits {
    /** The most peers that can be asked for at once, and so be told of: Edge's own limit. */
    const val PEERS: Int = 16

    /** The largest message in bytes: so many peers with the longest addresses fit in. */
    const val MESSAGE_BYTES: Int = 64 * 1024

    /** How long a peer has to answer, from opening the stream on. */
    val ANSWER: Duration = 10.seconds

    /** How long calls may go on when this peer leaves. */
    val GOODBYE: Duration = 2.seconds
}
