package io.grpcstream.samples.edge

import io.grpc.BindableService
import io.grpcstream.edge.DiscoveryGrpcKt.DiscoveryCoroutineImplBase
import io.grpcstream.edge.FindPeersReq
import io.grpcstream.edge.FindPeersResp
import io.grpcstream.edge.IdentityGrpcKt.IdentityCoroutineImplBase
import io.grpcstream.edge.Status
import io.grpcstream.edge.findPeersResp
import io.grpcstream.kotlin.grpcStream
import io.grpcstream.kotlin.shutdownAndAwait
import io.grpcstream.kotlin.startAndAwait
import io.grpcstream.libp2p.Host
import io.grpcstream.libp2p.Multiaddr
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.withContext
import kotlin.time.Duration.Companion.seconds

/** A peer whose services need not keep to Edge's rules. */
internal class Stranger(
    val host: Host,
    val chain: Long = 100,
) {
    val address: Multiaddr get() = host.listenAddresses().first()

    /** What it says of itself, if it is honest. */
    fun claims(): Status = Introduction(host.peerId(), chain, temporary = false).message()
}

/** Runs [block] with a stranger that has these services, each made once its host is. */
internal suspend fun <T> withStranger(
    vararg services: Pair<String, (Stranger) -> BindableService>,
    block: suspend (Stranger) -> T,
): T {
    val host = Host.builder().listen(ANY).build()
    val stranger = Stranger(host)
    val grpcs =
        services.map { (protocol, make) ->
            val grpc = grpcStream { service(make(stranger)) }.serve()
            host.handle(protocol, grpc.handler())
            grpc
        }
    try {
        host.startAndAwait()
        return block(stranger)
    } finally {
        withContext(NonCancellable) {
            grpcs.forEach { it.shutdownAndAwait(0.seconds) }
            host.shutdownAndAwait(0.seconds)
        }
    }
}

/** Answers each Hello with what [answer] returns. */
internal fun identity(
    answer: suspend (Stranger) -> Status,
): Pair<String, (Stranger) -> BindableService> =
    EdgeProtocols.IDENTITY to { stranger ->
        object : IdentityCoroutineImplBase() {
            override suspend fun hello(request: Status) = answer(stranger)
        }
    }

/** Answers each FindPeers with [nodes], whatever it was asked. */
internal fun discovery(nodes: List<String>): Pair<String, (Stranger) -> BindableService> =
    EdgeProtocols.DISCOVERY to { _ ->
        object : DiscoveryCoroutineImplBase() {
            override suspend fun findPeers(request: FindPeersReq): FindPeersResp =
                findPeersResp { this.nodes += nodes }
        }
    }

internal const val ANY = "/ip4/127.0.0.1/tcp/0"
