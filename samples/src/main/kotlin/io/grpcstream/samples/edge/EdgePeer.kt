package io.grpcstream.samples.edge

import io.grpc.BindableService
import io.grpc.StatusException
import io.grpcstream.GrpcStream
import io.grpcstream.kotlin.grpcStream
import io.grpcstream.kotlin.shutdownAndAwait
import io.grpcstream.kotlin.startAndAwait
import io.grpcstream.libp2p.Host
import io.grpcstream.libp2p.Multiaddr
import io.grpcstream.libp2p.PeerId
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.cancelChildren
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.future.await
import kotlinx.coroutines.withContext
import java.io.IOException

/**
 * A peer that speaks Edge's protocols: one host with a GrpcStream for each of them. It introduces
 * itself to whoever connects, and parts with those on another chain. All functions may be called
 * from any coroutine.
 */
class EdgePeer private constructor(
    scope: CoroutineScope,
    options: EdgeOptions,
    tell: (EdgeEvent) -> Unit,
) {
    private val host =
        Host
            .builder()
            .identity(options.identity)
            .listen(options.listen)
            .build()
    private val self = Introduction(host.peerId(), options.chain, options.temporaryDial)
    private val calls = EdgeCalls(host, self, options.answer)
    private val neighbours =
        Neighbours({ Neighbour(it, scope, calls::hello, tell) }, tell)
    private val services =
        mapOf(
            EdgeProtocols.IDENTITY to serving(IdentityService(self, neighbours)),
            EdgeProtocols.DISCOVERY to serving(DiscoveryService(neighbours, ::reachable)),
            EdgeProtocols.SYNCER to serving(SyncService(neighbours)),
        )

    /** The id of this peer. */
    val peerId: PeerId get() = host.peerId()

    /** Where others reach it; each ends in its id. */
    val addresses: List<Multiaddr> get() = host.listenAddresses()

    /**
     * Connects to the peer at [address] and waits until both have introduced themselves.
     *
     * Fails with [StatusException]: with what the host says if there is no such peer, with
     * `FAILED_PRECONDITION` if it is on another chain, with `DEADLINE_EXCEEDED` if it does not answer.
     */
    suspend fun meet(address: Multiaddr): Introduction {
        val neighbour =
            try {
                // Looked up at once, as one that is refused may be gone soon.
                host.connect(address).thenApply { neighbours[it.remotePeer()] }.await()
            } catch (e: IOException) {
                throw StatusException(GrpcStream.statusOf(e))
            }
        return neighbour.introduced()
    }

    /**
     * Up to [count] peers that [peer] is connected to, as addresses that end in their ids. It is up
     * to that peer whether they are there.
     *
     * Fails with [StatusException] if [peer] is not connected, was refused, does not answer in time,
     * or answers with more peers than that or with what is no address of a peer.
     */
    suspend fun findPeers(
        peer: PeerId,
        count: Int = EdgeLimits.PEERS,
    ): List<Multiaddr> = calls.findPeers(neighbours[peer].introduced().peer, count)

    /**
     * The height of the newest block that [peer] has. Fails with [StatusException] if [peer] is not
     * connected, was refused, keeps no blocks or does not answer in time.
     */
    suspend fun newestBlock(peer: PeerId): ULong =
        calls.newestBlock(neighbours[peer].introduced().peer)

    /** The addresses of [peer], those that are only good on its own machine last. */
    private fun reachable(peer: PeerId): List<Multiaddr> =
        host.addresses(peer).sortedBy { it.isLoopback() }

    private suspend fun start() {
        host.addListener(neighbours)
        services.forEach { (protocol, grpc) -> host.handle(protocol, grpc.handler()) }
        host.startAndAwait()
    }

    private suspend fun close() {
        services.values.forEach { it.shutdownAndAwait(EdgeLimits.GOODBYE) }
        host.shutdownAndAwait(EdgeLimits.GOODBYE)
    }

    /** Makes peers. */
    companion object {
        /**
         * Runs [block] with a peer that listens, and ends the peer after it.
         *
         * Fails as [Host.start] does if it cannot listen, and with what [block] fails with.
         *
         * @param tell hears what happens with others; on any thread, so it must not block for long
         */
        suspend fun <T> run(
            options: EdgeOptions,
            tell: (EdgeEvent) -> Unit,
            block: suspend (EdgePeer) -> T,
        ): T =
            coroutineScope {
                val peer = EdgePeer(this, options, tell)
                try {
                    peer.start()
                    block(peer)
                } finally {
                    coroutineContext.cancelChildren() // Greetings under way.
                    withContext(NonCancellable) { peer.close() }
                }
            }
    }
}

private fun serving(service: BindableService): GrpcStream =
    grpcStream {
        service(service)
        configure { configureServer { it.maxInboundMessageSize(EdgeLimits.MESSAGE_BYTES) } }
    }.serve()

private fun Multiaddr.isLoopback(): Boolean =
    value("ip4").map { it.startsWith("127.") }.orElse(false) ||
        value("ip6").map { it == "::1" }.orElse(false)
