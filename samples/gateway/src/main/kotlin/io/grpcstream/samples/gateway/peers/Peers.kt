package io.grpcstream.samples.gateway.peers

import io.grpc.Status
import io.grpcstream.kotlin.ConnectionEvent
import io.grpcstream.kotlin.connectionEvents
import io.grpcstream.libp2p.Host
import io.grpcstream.libp2p.PeerId
import io.grpcstream.samples.gateway.KnownPeer
import io.grpcstream.samples.gateway.http.Refusal
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.launch

/** The peers that clients may call. For any thread. */
internal class Peers(
    private val host: Host,
    /** All of them, in the order in which they were named. */
    val all: List<GatewayPeer>,
    private val refused: List<KnownPeer>,
) : AutoCloseable {
    private val byName = all.associateBy { it.known.name }
    private val byId = all.groupBy { it.known.id }

    /** Connects to all, and learns about them while [scope] lives. */
    fun start(scope: CoroutineScope) {
        scope.launch {
            host.connectionEvents().collect { event ->
                for (peer in byId[event.connection.remotePeer()].orEmpty()) {
                    when (event) {
                        is ConnectionEvent.Opened -> peer.onConnected()
                        is ConnectionEvent.Closed -> peer.onDisconnected()
                    }
                }
            }
        }
        all.forEach { it.start(scope) }
    }

    /**
     * The peer of that name, or of that id.
     *
     * @throws Refusal if there is none, or it is not allowed
     */
    fun find(nameOrId: String): GatewayPeer {
        byName[nameOrId]?.let { return it }
        byId[parsed(nameOrId)]?.let { return it.first() }
        refused.find { it.name == nameOrId || it.id == parsed(nameOrId) }?.let {
            throw Refusal(
                Status.PERMISSION_DENIED.withDescription(
                    "peer ${it.name} is not to be called through this gateway",
                ),
            )
        }
        throw Refusal(
            Status.NOT_FOUND.withDescription(
                "the gateway knows no peer \"${nameOrId.take(SHOWN)}\"",
            ),
        )
    }

    private fun parsed(id: String): PeerId? =
        try {
            PeerId.parse(id)
        } catch (_: IllegalArgumentException) {
            null
        }

    override fun close() = all.forEach { it.close() }

    private companion object {
        const val SHOWN = 64
    }
}
