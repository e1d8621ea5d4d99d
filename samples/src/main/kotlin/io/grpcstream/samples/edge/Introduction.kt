package io.grpcstream.samples.edge

import io.grpc.Status
import io.grpc.StatusException
import io.grpcstream.edge.status
import io.grpcstream.libp2p.PeerId
import io.grpcstream.edge.Status as Claims

/** The key of a Hello's metadata under which Edge looks for the sender's id. */
private const val PEER_ID = "peerID"

/**
 * Who a peer is, as both sides of a connection tell each other.
 *
 * @property peer its id
 * @property chain the id of its chain
 * @property temporary whether it only means to ask and to leave again
 */
data class Introduction(
    val peer: PeerId,
    val chain: Long,
    val temporary: Boolean,
) {
    /** The message that says so. */
    fun message(): Claims =
        status {
            metadata[PEER_ID] = "$peer"
            chain = this@Introduction.chain
            temporaryDial = temporary
        }

    /**
     * What [claims] say to the peer of this introduction, sent by the one that the connection has
     * proven to be [sender].
     *
     * Throws [StatusException]: `INVALID_ARGUMENT` if they do not name their sender,
     * `FAILED_PRECONDITION` if it is on another chain.
     */
    fun check(
        claims: Claims,
        sender: PeerId,
    ): Introduction {
        val named =
            try {
                PeerId.parse(claims.getMetadataOrDefault(PEER_ID, ""))
            } catch (e: IllegalArgumentException) {
                val what = "peer $sender said Hello without its $PEER_ID: ${e.message}"
                throw StatusException(Status.INVALID_ARGUMENT.withDescription(what).withCause(e))
            }
        if (named != sender) {
            val what = "peer $sender said Hello as $named"
            throw StatusException(Status.INVALID_ARGUMENT.withDescription(what))
        }
        if (claims.chain != chain) {
            val what = "peer $sender is on chain ${claims.chain}, peer $peer on chain $chain"
            throw StatusException(Status.FAILED_PRECONDITION.withDescription(what))
        }
        return Introduction(sender, claims.chain, claims.temporaryDial)
    }
}
