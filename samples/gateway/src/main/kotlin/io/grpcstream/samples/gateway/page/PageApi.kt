package io.grpcstream.samples.gateway.page

import com.linecorp.armeria.common.HttpMethod
import com.linecorp.armeria.common.HttpRequest
import com.linecorp.armeria.common.HttpResponse
import com.linecorp.armeria.common.HttpStatus
import com.linecorp.armeria.common.ResponseHeaders
import com.linecorp.armeria.server.HttpService
import com.linecorp.armeria.server.ServiceRequestContext
import io.grpc.Status
import io.grpcstream.libp2p.PeerId
import io.grpcstream.samples.gateway.GatewayLimits
import io.grpcstream.samples.gateway.http.Ending
import io.grpcstream.samples.gateway.http.Refusal
import io.grpcstream.samples.gateway.http.ResponseStream
import io.grpcstream.samples.gateway.http.refusal
import io.grpcstream.samples.gateway.http.respond
import io.grpcstream.samples.gateway.http.writeFailure
import io.grpcstream.samples.gateway.peers.Peers
import io.grpcstream.samples.gateway.rest.JSON
import io.grpcstream.samples.gateway.rest.decode
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.delay
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.seconds

/**
 * What the page asks for, as JSON:
 *
 * - `GET /api/peers`: the peers, at this moment
 * - `GET /api/events`: the same once a second, as server-sent events
 * - `GET /api/peers/{peer}/services`: the methods of a peer, and the types of their requests.
 */
internal class PageApi(
    private val self: PeerId,
    private val peers: Peers,
    private val limits: GatewayLimits,
    private val scope: CoroutineScope,
) : HttpService {
    private val followers = AtomicInteger()

    override fun serve(
        context: ServiceRequestContext,
        request: HttpRequest,
    ): HttpResponse {
        val path = context.path().removePrefix("/api/").split('/')
        return scope.respond(limits.patience) { response ->
            try {
                if (request.method() != HttpMethod.GET) {
                    throw refusal(
                        Status.Code.UNIMPLEMENTED,
                        "GET is all there is for ${context.path()}",
                        HttpStatus.METHOD_NOT_ALLOWED,
                    )
                }
                when {
                    path == listOf("peers") -> {
                        response.json(state())
                    }

                    path == listOf("events") -> {
                        follow(context, response)
                    }

                    path.size == 3 && path[0] == "peers" && path[2] == "services" -> {
                        response.json(services(path[1]))
                    }

                    else -> {
                        throw refusal(Status.Code.NOT_FOUND, "nothing is at ${context.path()}")
                    }
                }
            } catch (refusal: Refusal) {
                response.writeFailure(Ending(refusal.status, http = refusal.http), null)
            }
        }
    }

    private suspend fun services(peer: String): ByteArray =
        JSON.writeValueAsBytes(peers.find(decode(peer) { true }).services().describe())

    private fun state(): ByteArray =
        JSON.writeValueAsBytes(State(self.toString(), peers.all.map { it.snapshot() }))

    /** A slow reader holds up nothing but its own next event. */
    private suspend fun follow(
        context: ServiceRequestContext,
        response: ResponseStream,
    ) {
        context.clearRequestTimeout()
        try {
            if (followers.incrementAndGet() > limits.followers) {
                throw refusal(
                    Status.Code.RESOURCE_EXHAUSTED,
                    "${limits.followers} follow already, which is the gateway's limit",
                )
            }
            response.write(
                ResponseHeaders
                    .builder(HttpStatus.OK)
                    .add("content-type", "text/event-stream; charset=utf-8")
                    .add("cache-control", "no-store")
                    .build(),
            )
            while (true) {
                response.write("event: peers\ndata: ${state().decodeToString()}\n\n")
                delay(INTERVAL)
            }
        } finally {
            followers.decrementAndGet()
        }
    }

    private suspend fun ResponseStream.json(body: ByteArray) =
        write(
            ResponseHeaders
                .builder(HttpStatus.OK)
                .add("content-type", "application/json; charset=utf-8")
                .add("cache-control", "no-store")
                .build(),
            body,
        )

    /** All that is to be seen. */
    @Suppress("unused") // Read by Jackson.
    private class State(
        val gateway: String,
        val peers: List<Any>,
    )

    private companion object {
        val INTERVAL = 1.seconds
    }
}
