package io.grpcstream.samples.shop.peer

import io.grpc.Channel
import io.grpc.protobuf.services.HealthStatusManager
import io.grpcstream.GrpcPeer
import io.grpcstream.kotlin.GrpcStreamBuilder
import io.grpcstream.samples.shop.Settings
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import java.nio.file.Path

/** Peers of a shop in this process, which find each other in [folder] and reach each other in memory. */
class TestPeers(
    val folder: Path,
) {
    /** A peer of that name. */
    fun peer(
        name: String,
        admitted: String = "",
    ): ShopPeer {
        val settings = listOf("--peers", "$folder", "--traces", "$folder", "--listen", "/memory/0")
        return ShopPeer(Settings.of(settings.toTypedArray()), name, admitted)
    }
}

/** Serves while [block] runs; what [meanwhile] does ends then, too. */
suspend fun <T> ShopPeer.serving(
    audience: String,
    services: GrpcStreamBuilder.() -> Unit,
    meanwhile: suspend CoroutineScope.(GrpcPeer, HealthStatusManager) -> Unit =
        { _, _ -> },
    block: suspend () -> T,
): T =
    coroutineScope {
        val serves = CompletableDeferred<Unit>()
        val serving =
            launch {
                serve(audience, services) { peer, health ->
                    serves.complete(Unit)
                    launch { meanwhile(peer, health) }
                    awaitCancellation()
                }
            }
        serves.await()
        try {
            block()
        } finally {
            serving.cancelAndJoin()
        }
    }

/** Calls the peer called [name] while [block] runs. */
suspend fun <T> ShopPeer.calling(
    name: String,
    service: String,
    block: suspend (Channel) -> T,
): T = call { peer -> block(channel(peer, listOf(name), service)) }

/** The same, whatever the peer says of its health. */
suspend fun <T> ShopPeer.callingAnyway(
    name: String,
    block: suspend (Channel) -> T,
): T = call { peer -> block(peer.channel("libp2p:/p2p/${directory.await(name)}")) }
