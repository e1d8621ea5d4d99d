package io.grpcstream.samples.edge

import io.grpc.Status
import io.grpc.StatusException
import io.grpcstream.libp2p.Connection
import io.grpcstream.libp2p.ConnectionListener
import io.grpcstream.libp2p.PeerId

/**
 * The peers that this one is connected to, each of which is greeted once as soon as it is connected,
 * whoever dialled. Thread-safe.
 *
 * @param meet makes what is known of a peer that has connected
 * @param tell hears of peers that were met and have left; must not block
 */
internal class Neighbours(
    private val meet: (PeerId) -> Neighbour,
    private val tell: (EdgeEvent) -> Unit,
) : ConnectionListener {
    private val all = HashMap<PeerId, Neighbour>()

    override fun onConnected(connection: Connection) {
        val peer = connection.remotePeer()
        synchronized(all) { all.getOrPut(peer) { meet(peer) }.apply { connections += connection } }
            .greet(connection)
    }

    override fun onDisconnected(connection: Connection) {
        val peer = connection.remotePeer()
        val gone =
            synchronized(all) {
                val neighbour = all[peer] ?: return
                neighbour.connections -= connection
                if (neighbour.connections.isEmpty()) all.remove(peer) else null
            }
        if (gone?.introduction != null) {
            tell(EdgeEvent.Left(peer))
        }
    }

    /** What is known of [peer]; fails with `UNAVAILABLE` if it is not connected. */
    operator fun get(peer: PeerId): Neighbour =
        synchronized(all) { all[peer] } ?: throw StatusException(notConnected(peer))

    /** The peers that have been met and mean to stay. */
    fun staying(): List<PeerId> =
        synchronized(all) { all.values.toList() }
            .mapNotNull { it.introduction }
            .filterNot { it.temporary }
            .map { it.peer }
}

/** What a call to a [peer] fails with that has gone. */
internal fun notConnected(peer: PeerId): Status =
    Status.UNAVAILABLE.withDescription("peer $peer is not connected")
