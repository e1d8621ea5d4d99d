// Examples of HTTP and of JSON are lines as they are.
@file:Suppress("ktlint:standard:max-line-length")

package io.grpcstream.samples.gateway

import io.grpc.BindableService
import io.grpcstream.GrpcPeer
import io.grpcstream.kotlin.grpcPeer
import io.grpcstream.kotlin.shutdownAndAwait
import io.grpcstream.kotlin.startAndAwait
import io.grpcstream.libp2p.crypto.PrivateKey
import io.grpcstream.samples.dynamic.Schema
import io.grpcstream.samples.gateway.peers.ServiceFinder
import kotlinx.coroutines.future.await
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import java.net.http.HttpResponse.BodyHandler
import java.net.http.HttpResponse.BodyHandlers
import java.time.Duration
import kotlin.time.Duration.Companion.seconds

/** Peers and a gateway before them, in memory but for HTTP. */
internal class Stage(
    val peers: List<GrpcPeer>,
    val gateway: Gateway,
) {
    private val client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()

    fun uri(path: String): URI = gateway.uri.resolve(path)

    fun request(
        path: String,
        vararg headers: String,
    ): HttpRequest.Builder {
        val request = HttpRequest.newBuilder(uri(path)).timeout(Duration.ofSeconds(30))
        return if (headers.isEmpty()) request else request.headers(*headers)
    }

    suspend fun <T> send(
        request: HttpRequest.Builder,
        handler: BodyHandler<T>,
    ): HttpResponse<T> = client.sendAsync(request.build(), handler).await()

    suspend fun get(
        path: String,
        vararg headers: String,
    ): HttpResponse<String> = send(request(path, *headers), BodyHandlers.ofString())

    suspend fun post(
        path: String,
        body: String,
        vararg headers: String,
    ): HttpResponse<String> =
        send(
            request(
                path,
                "content-type",
                "application/json",
                *headers,
            ).POST(HttpRequest.BodyPublishers.ofString(body)),
            BodyHandlers.ofString(),
        )

    suspend fun post(
        path: String,
        type: String,
        body: ByteArray,
        vararg headers: String,
    ): HttpResponse<ByteArray> =
        send(
            request(
                path,
                "content-type",
                type,
                *headers,
            ).POST(HttpRequest.BodyPublishers.ofByteArray(body)),
            BodyHandlers.ofByteArray(),
        )
}

/** What the options of a stage's gateway are made of. */
internal class StageOptions {
    var token: String? = null
    var cors: Set<String> = emptySet()
    var limits = GatewayLimits()
    var find: ServiceFinder = { Schema.reflected(it).services }
    var more: List<KnownPeer> = emptyList()
    var allow: (List<GrpcPeer>) -> Set<GrpcPeer> = { emptySet() }
}

/** Runs [test] with a gateway before peers, each of which serves one of [services], as `peer0` and so on. */
internal suspend fun onStage(
    vararg services: BindableService,
    configure: StageOptions.() -> Unit = {},
    test: suspend (Stage) -> Unit,
) {
    val options = StageOptions().apply(configure)
    val peers = services.map { served(it) }
    try {
        peers.forEach { it.startAndAwait() }
        val known = peers.mapIndexed { i, peer -> KnownPeer("peer$i", peer.addresses().first()) }
        val gateway =
            Gateway(
                GatewayOptions(
                    peers = known + options.more,
                    allowed = options.allow(peers).map { it.peerId() }.toSet(),
                    token = options.token,
                    cors = options.cors,
                    limits = options.limits,
                ),
                options.find,
            )
        try {
            gateway.start()
            test(Stage(peers, gateway))
        } finally {
            gateway.shutdownAndAwait()
        }
    } finally {
        peers.forEach { it.shutdownAndAwait(0.seconds) }
    }
}

/** A peer in memory, not yet started. */
internal fun served(
    service: BindableService,
    address: String = "/memory/0",
    key: PrivateKey = PrivateKey.generateEd25519(),
): GrpcPeer =
    grpcPeer {
        identity(key)
        listen(address)
        serve {
            service(service)
            health()
            reflection()
        }
    }
