package io.grpcstream.samples.chat

import io.grpcstream.libp2p.PeerId

/** What a user sees of the room. */
sealed interface RoomEvent {
    /** Whom it is about, by the id that the peer has proven. */
    val peer: PeerId

    /** The peer is in the room, and we have met it. */
    data class Joined(
        override val peer: PeerId,
    ) : RoomEvent

    /** The peer left, was killed, or cannot be reached any more. */
    data class Left(
        override val peer: PeerId,
    ) : RoomEvent

    /** The peer said [text], which is as it was sent. */
    data class Said(
        override val peer: PeerId,
        val text: String,
    ) : RoomEvent

    /** We parted with the peer, for this [reason]; to the others it is still in the room. */
    data class Dropped(
        override val peer: PeerId,
        val reason: String,
    ) : RoomEvent

    /** The peer is in the room, as others say, but we could not meet it, for this [reason]. */
    data class Unreachable(
        override val peer: PeerId,
        val reason: String,
    ) : RoomEvent
}
