package io.grpcstream.samples.shop.peer

import io.grpc.ManagedChannel
import io.grpc.protobuf.services.HealthStatusManager
import io.grpcstream.GrpcPeer
import io.grpcstream.GrpcStream
import io.grpcstream.kotlin.GrpcStreamBuilder
import io.grpcstream.kotlin.grpcPeer
import io.grpcstream.kotlin.grpcStream
import io.grpcstream.kotlin.peerChannel
import io.grpcstream.kotlin.shutdownAndAwait
import io.grpcstream.kotlin.startAndAwait
import io.grpcstream.libp2p.Multiaddr
import io.grpcstream.libp2p.PeerId
import io.grpcstream.libp2p.crypto.PrivateKey
import io.grpcstream.opentelemetry.PeerTelemetry
import io.grpcstream.samples.shop.Settings
import io.grpcstream.samples.shop.statusOf
import io.grpcstream.samples.shop.tokens.TokenCheck
import io.grpcstream.samples.shop.tracing.DeadlineNotes
import io.grpcstream.samples.shop.tracing.tracing
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.cancelChildren
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import org.slf4j.LoggerFactory
import java.io.IOException
import java.nio.file.Path
import kotlin.time.Duration.Companion.seconds

/** One peer of the shop, by its settings: who it is, where it is, whom it knows and whom it lets in. */
class ShopPeer(
    settings: Settings,
    defaultName: String,
    defaultAdmitted: String = "",
) {
    /** What it is called in the directory. */
    val name: String = settings.text("name", defaultName)
    private val folder = Path.of(settings.text("peers", "shop"))
    private val listen = settings.text("listen", "/ip4/127.0.0.1/tcp/0")
    private val admitted = settings.list("admit", defaultAdmitted)
    private val traces = settings.textOrNull("traces")?.let(Path::of)

    /** Its key: it is the peer of that. */
    val key: PrivateKey =
        PrivateKey.loadOrCreate(
            Path.of(settings.text("key", "${folder.resolve("$name.key")}")).also {
                it
                    .toAbsolutePath()
                    .parent
                    .toFile()
                    .mkdirs()
            },
        )

    /** Whom it knows. */
    val directory: Directory = Directory(folder)

    /** Its traces. */
    val openTelemetry = tracing(name, traces)
    private val telemetry = PeerTelemetry.create(openTelemetry)

    /** Says in the directory who it is, as a peer that only calls. */
    suspend fun introduceItself() {
        val id = PeerId.of(key.publicKey())
        directory.put(name, listOf(Multiaddr.parse("/p2p/$id")))
    }

    /** Makes channels of a peer that only calls, while [block] runs. */
    suspend fun <T> call(block: suspend CoroutineScope.(GrpcPeer) -> T): T {
        introduceItself()
        return run(
            grpcPeer {
                identity(key)
                install(telemetry)
            }.startAndAwait(),
            block,
        )
    }

    /**
     * Serves [audience], which [services] offer, while [block] runs: to peers that are admitted, and for
     * calls with a token. It says where in the directory; started anew, it is where it was, if it can be.
     */
    suspend fun <T> serve(
        audience: String,
        services: GrpcStreamBuilder.() -> Unit,
        block: suspend CoroutineScope.(GrpcPeer, HealthStatusManager) -> T,
    ): T {
        directory.read()
        var grpc = served(audience, services)
        val before =
            directory.peers.value[name]
                .orEmpty()
                .filter {
                    it.isPlace()
                }.map { "${it.withoutPeerId()}" }
        val peer =
            try {
                serving(before.ifEmpty { listOf(listen) }, grpc).startAndAwait()
            } catch (e: IOException) {
                if (before.isEmpty()) throw e
                log.warn("{} is not to be had any more: {}", before, e.message)
                grpc = served(audience, services) // The other one has ended with its peer.
                serving(listOf(listen), grpc).startAndAwait()
            }
        return run(peer) {
            directory.put(name, peer.addresses())
            block(peer, grpc.healthStatus())
        }
    }

    /**
     * A channel to the peers that are called [names] in the directory, by their ids, once all of them are
     * known there; the protocol is gRPC's own.
     */
    suspend fun channel(
        peer: GrpcPeer,
        names: List<String>,
        service: String,
    ): ManagedChannel {
        val ids = names.map { directory.await(it) }
        introduce(peer, directory.peers.value) // where it may be that they were found just now
        return peer.host().peerChannel("libp2p:" + ids.joinToString(",") { "/p2p/$it" }) {
            install(telemetry)
            defaultServiceConfig(serviceConfig(service))
        }
    }

    private fun serving(
        addresses: List<String>,
        grpc: GrpcStream,
    ) = grpcPeer {
        identity(key)
        addresses.forEach { listen(it) }
        serve(grpc)
        install(telemetry)
    }

    private fun served(
        audience: String,
        services: GrpcStreamBuilder.() -> Unit,
    ) = grpcStream {
        services()
        health()
        reflection()
        authorize { peer, _ -> isAdmitted(peer) }
        mapFailure(::statusOf)
        // The last one added runs first, which is telemetry.
        intercept(TokenCheck(audience, directory::idOf))
        intercept(DeadlineNotes)
        install(telemetry)
    }

    private fun isAdmitted(peer: PeerId): Boolean =
        admitted.any { it == "$peer" || directory.idOf(it) == peer }

    private suspend fun <T> run(
        peer: GrpcPeer,
        block: suspend CoroutineScope.(GrpcPeer) -> T,
    ): T =
        try {
            coroutineScope {
                directory.read()
                introduce(peer, directory.peers.value)
                val following =
                    launch {
                        launch { directory.follow() }
                        directory.peers.collect { introduce(peer, it) }
                    }
                try {
                    block(peer)
                } finally {
                    following.cancel()
                    coroutineContext.cancelChildren()
                }
            }
        } finally {
            withContext(NonCancellable) { peer.shutdownAndAwait(GRACE) }
        }

    /** Tells the host where the others are. */
    private fun introduce(
        peer: GrpcPeer,
        others: Map<String, List<Multiaddr>>,
    ) {
        for (address in others.values.flatten()) {
            val id = address.peerId().orElseThrow()
            if (id != peer.peerId() && address.isPlace()) {
                peer.host().addAddress(id, address)
            }
        }
    }

    /** One that only calls has its id alone. */
    private fun Multiaddr.isPlace() = components().size > 1

    private companion object {
        val log = LoggerFactory.getLogger(ShopPeer::class.java)
        val GRACE = 5.seconds
    }
}
