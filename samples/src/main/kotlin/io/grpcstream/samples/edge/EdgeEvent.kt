package io.grpcstream.samples.edge

import io.grpc.Status
import io.grpcstream.libp2p.PeerId

/** What happened between this peer and another one. */
sealed interface EdgeEvent {
    /** The other peer. */
    val peer: PeerId

    /** It has introduced itself, and is on our chain. */
    data class Met(
        val introduction: Introduction,
    ) : EdgeEvent {
        override val peer: PeerId get() = introduction.peer
    }

    /** It is not one of ours, for the reason that [status] describes; it was disconnected. */
    data class Refused(
        override val peer: PeerId,
        val status: Status,
    ) : EdgeEvent

    /** Its last connection has ended, after it was met. */
    data class Left(
        override val peer: PeerId,
    ) : EdgeEvent
}
