package io.grpcstream.samples.gateway

import com.linecorp.armeria.common.AggregatedHttpResponse
import com.linecorp.armeria.common.HttpData
import com.linecorp.armeria.common.HttpRequest
import com.linecorp.armeria.common.HttpResponse
import com.linecorp.armeria.common.HttpStatus
import com.linecorp.armeria.common.MediaType
import com.linecorp.armeria.common.RequestHeaders
import com.linecorp.armeria.common.ResponseHeaders
import com.linecorp.armeria.common.TlsKeyPair
import com.linecorp.armeria.common.metric.NoopMeterRegistry
import com.linecorp.armeria.server.HttpService
import com.linecorp.armeria.server.RequestTimeoutException
import com.linecorp.armeria.server.Server
import com.linecorp.armeria.server.ServerErrorHandler
import com.linecorp.armeria.server.ServiceConfig
import com.linecorp.armeria.server.ServiceRequestContext
import com.linecorp.armeria.server.file.FileService
import io.grpc.Status
import io.grpcstream.kotlin.shutdownAndAwait
import io.grpcstream.kotlin.startAndAwait
import io.grpcstream.libp2p.Host
import io.grpcstream.libp2p.PeerId
import io.grpcstream.samples.dynamic.Schema
import io.grpcstream.samples.gateway.http.Ending
import io.grpcstream.samples.gateway.http.Guard
import io.grpcstream.samples.gateway.http.IdleConnections
import io.grpcstream.samples.gateway.http.PEER_HEADER
import io.grpcstream.samples.gateway.http.PeerCalls
import io.grpcstream.samples.gateway.http.toJson
import io.grpcstream.samples.gateway.page.PageApi
import io.grpcstream.samples.gateway.peers.GatewayPeer
import io.grpcstream.samples.gateway.peers.Peers
import io.grpcstream.samples.gateway.peers.ServiceFinder
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.future.await
import kotlinx.coroutines.job
import kotlinx.coroutines.runBlocking
import java.net.URI
import kotlin.time.Duration
import kotlin.time.toJavaDuration

/**
 * Peers for browsers and clients of REST: an HTTP server that calls them, and a page that shows them.
 *
 * ```
 * Gateway(GatewayOptions(listOf(KnownPeer("shop", address)))).use { gateway ->
 *     gateway.start()
 *     println("open ${gateway.uri}")
 * ```
 */
class Gateway internal constructor(
    private val options: GatewayOptions,
    find: ServiceFinder,
) : AutoCloseable {
    /** A gateway, not yet started. */
    constructor(options: GatewayOptions) : this(options, { Schema.reflected(it).services })

    private val limits = options.limits
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default)
    private val host: Host =
        Host
            .builder()
            .agentVersion("grpcstream-gateway")
            .apply { options.identity?.let(::identity) }
            .build()
    private val peers = peers(find)
    private val connections = IdleConnections(limits.idle)
    private val server = server()

    private fun peers(find: ServiceFinder): Peers {
        val allowed = options.allowed
        val (called, refused) = options.peers.partition { allowed.isEmpty() || it.id in allowed }
        return Peers(host, called.map { GatewayPeer(it, host, limits, find) }, refused)
    }

    /** Who it is to the peers that it calls, for those that let only some in. */
    val peerId: PeerId get() = host.peerId()

    /** Where it is reached, once it has started: with the real port. */
    val uri: URI
        get() {
            val port = checkNotNull(server.activeLocalPort()) { "the gateway has not started" }
            val name = options.listen.hostString.let { if (':' in it) "[$it]" else it }
            return URI("${if (options.tls == null) "http" else "https"}://$name:$port/")
        }

    /**
     * Listens, and begins to connect to the peers; those that are not there are called when they are.
     *
     * @throws java.io.IOException or another failure if it cannot listen
     */
    suspend fun start() {
        host.startAndAwait()
        peers.start(scope)
        server.start().await()
    }

    private fun server(): Server {
        val builder = Server.builder()
        if (options.tls == null) {
            builder.http(options.listen)
        } else {
            val (key, certificate) = listOf(options.tls.key, options.tls.certificate)
            builder.https(options.listen).tls(TlsKeyPair.of(key.toFile(), certificate.toFile()))
        }
        val calls = PeerCalls(peers, limits, options.token != null, scope)
        builder
            .serviceUnder("/peers/", calls)
            .serviceUnder("/api/", PageApi(host.peerId(), peers, limits, scope))
            .serviceUnder("/", FileService.of(Gateway::class.java.classLoader, PAGE))
        options.static?.let { builder.serviceUnder("/static/", FileService.of(it)) }
        return builder
            .decorator { delegate, context, request ->
                byHeader(calls, delegate, context, request)
            }.decorator { delegate ->
                Guard(delegate, options.token, options.cors, options.hostNames)
            }.decorator { delegate, context, request -> counted(delegate, context, request) }
            .errorHandler(Failures)
            .maxNumConnections(limits.connections)
            .childChannelPipelineCustomizer { connections.watch(it.channel()) }
            .requestTimeout(limits.requestTime.toJavaDuration())
            // The body is measured where it is read, so that who sends too much is told in their own form.
            .maxRequestLength(0)
            .http2MaxStreamsPerConnection(STREAMS)
            .meterRegistry(NoopMeterRegistry.get())
            .disableServerHeader()
            .build()
    }

    private fun byHeader(
        calls: HttpService,
        delegate: HttpService,
        context: ServiceRequestContext,
        request: HttpRequest,
    ): HttpResponse {
        val service = if (request.headers().contains(PEER_HEADER)) calls else delegate
        return service.serve(context, request)
    }

    private fun counted(
        delegate: HttpService,
        context: ServiceRequestContext,
        request: HttpRequest,
    ): HttpResponse {
        val client = context.remoteAddress()
        connections.begin(client)
        context.log().whenComplete().thenRun { connections.end(client) }
        return delegate.serve(context, request)
    }

    /** Ends all calls, and waits until all has ended. */
    suspend fun shutdownAndAwait() {
        scope.coroutineContext.job.cancelAndJoin()
        server.stop().await()
        peers.close()
        host.shutdownAndAwait(Duration.ZERO)
    }

    /** The same, and blocks. */
    override fun close() = runBlocking { shutdownAndAwait() }

    /** What Armeria refuses, and what has failed, as JSON like all else. */
    private object Failures : ServerErrorHandler {
        override fun onServiceException(
            context: ServiceRequestContext,
            cause: Throwable,
        ): HttpResponse? {
            if (cause !is RequestTimeoutException) return null
            val late = "the request took too long to arrive"
            return rendered(HttpStatus.REQUEST_TIMEOUT, late).toHttpResponse()
        }

        override fun renderStatus(
            context: ServiceRequestContext?,
            config: ServiceConfig,
            headers: RequestHeaders?,
            status: HttpStatus,
            description: String?,
            cause: Throwable?,
        ): AggregatedHttpResponse = rendered(status, description ?: status.reasonPhrase())

        private fun rendered(
            status: HttpStatus,
            description: String,
        ): AggregatedHttpResponse {
            val code =
                when {
                    status == HttpStatus.NOT_FOUND -> Status.Code.NOT_FOUND
                    status == HttpStatus.SERVICE_UNAVAILABLE -> Status.Code.UNAVAILABLE
                    status.isClientError -> Status.Code.INVALID_ARGUMENT
                    else -> Status.Code.INTERNAL
                }
            val ending = Ending(code.toStatus().withDescription(description), http = status)
            val headers = ResponseHeaders.builder(status).contentType(MediaType.JSON_UTF_8).build()
            return AggregatedHttpResponse.of(headers, HttpData.ofUtf8("${ending.toJson(null)}"))
        }
    }

    private companion object {
        const val PAGE = "io/grpcstream/samples/gateway/page"
        const val STREAMS = 128L
    }
}
