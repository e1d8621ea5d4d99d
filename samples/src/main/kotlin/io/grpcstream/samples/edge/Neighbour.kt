package io.grpcstream.samples.edge

import io.grpc.Status
import io.grpc.StatusException
import io.grpcstream.libp2p.Connection
import io.grpcstream.libp2p.PeerId
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.async
import java.util.concurrent.CopyOnWriteArraySet

/**
 * A peer that is connected. It is said Hello to, and by its answer met, or refused and disconnected;
 * until that is decided, other calls from it and to it wait in [introduced]. Thread-safe.
 *
 * @property peer its id
 * @param scope where it is greeted
 * @param hello says Hello to it; fails with [StatusException] if it is to be refused
 * @param tell hears whether it was met or refused; must not block
 */
internal class Neighbour(
    val peer: PeerId,
    scope: CoroutineScope,
    private val hello: suspend (PeerId) -> Introduction,
    private val tell: (EdgeEvent) -> Unit,
) {
    /** The connections to it. */
    val connections = CopyOnWriteArraySet<Connection>()

    /** What it has told of itself, once it was met and unless it was refused. */
    @Volatile
    var introduction: Introduction? = null
        private set

    private var refusal: Status? = null
    private var parted = false

    private val greeting =
        scope.async(start = CoroutineStart.LAZY) {
            try {
                meet(hello(peer))
            } catch (e: StatusException) {
                part(e.status)
            }
        }

    /** Says Hello over [connection], unless that was done; closes it if the peer was refused. */
    fun greet(connection: Connection) {
        greeting.start()
        if (synchronized(this) { parted }) {
            connection.close()
        }
    }

    /**
     * What the peer has told of itself, which takes no longer than it may take to answer. Fails with
     * [StatusException], for the reason for which it was refused.
     */
    suspend fun introduced(): Introduction {
        greeting.await()
        return synchronized(this) { introduction ?: throw StatusException(refusal) }
    }

    /**
     * Refuses the peer for what it has said by itself, whatever it answers. If it is still to answer,
     * it is disconnected thereafter, so that it can hear of the refusal.
     */
    fun refuse(why: Status) {
        val wasMet =
            synchronized(this) {
                refusal = refusal ?: why
                introduction != null
            }
        if (wasMet) {
            part(why)
        }
    }

    private fun meet(said: Introduction) {
        val refused =
            synchronized(this) {
                if (refusal == null) {
                    introduction = said
                }
                refusal
            }
        if (refused == null) tell(EdgeEvent.Met(said)) else part(refused)
    }

    private fun part(why: Status) {
        val reason =
            synchronized(this) {
                if (parted) {
                    return
                }
                parted = true
                introduction = null
                (refusal ?: why).also { refusal = it }
            }
        tell(EdgeEvent.Refused(peer, reason))
        connections.forEach { it.close() }
    }
}
