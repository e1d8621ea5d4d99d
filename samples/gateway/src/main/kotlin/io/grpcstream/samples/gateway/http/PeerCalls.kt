package io.grpcstream.samples.gateway.http

import com.google.protobuf.Descriptors.FieldDescriptor.JavaType
import com.google.protobuf.Descriptors.MethodDescriptor
import com.linecorp.armeria.common.HttpMethod
import com.linecorp.armeria.common.HttpRequest
import com.linecorp.armeria.common.HttpResponse
import com.linecorp.armeria.common.HttpStatus
import com.linecorp.armeria.common.QueryParams
import com.linecorp.armeria.server.HttpService
import com.linecorp.armeria.server.ServiceRequestContext
import io.grpc.Status
import io.grpcstream.samples.gateway.GatewayLimits
import io.grpcstream.samples.gateway.peers.GatewayPeer
import io.grpcstream.samples.gateway.peers.PeerServices
import io.grpcstream.samples.gateway.peers.Peers
import io.grpcstream.samples.gateway.rest.HttpRoutes
import io.grpcstream.samples.gateway.rest.JSON
import io.grpcstream.samples.gateway.rest.RestRequest
import io.grpcstream.samples.gateway.rest.decode
import io.grpcstream.samples.gateway.rest.manyValues
import io.grpcstream.samples.gateway.rest.oneValue
import kotlinx.coroutines.CoroutineScope
import kotlin.time.Duration

/** The header that names the peer, where the path does not. */
internal const val PEER_HEADER = "x-libp2p-peer"

/**
 * Calls peers for clients of HTTP:
 *
 * - `POST /peers/{peer}/{package.Service}/{Method}`, as gRPC-Web or as JSON, as the content type says
 * - what `google.api.http` says of the peer's methods, beneath `/peers/{peer}`
 * - both without `/peers/{peer}`, where the header `x-libp2p-peer` names it.
 *
 * gRPC-Web passes bytes, whatever they mean; JSON needs a peer that tells of its services by reflection.
 *
 * Armeria has services for all of that (`GrpcService`, HTTP/JSON transcoding, `DocService`), but they
 * want to know the services when the server is built, JSON of messages with generated classes, and
 * unary methods where it is JSON. Here services come and go with their peers, no class is generated, and
 * streams are streamed. So of Armeria this takes the HTTP server.
 */
internal class PeerCalls(
    private val peers: Peers,
    private val limits: GatewayLimits,
    private val gatewayHasToken: Boolean,
    private val scope: CoroutineScope,
) : HttpService {
    private val bodies = BodyMemory(limits.allRequestsBytes)

    override fun serve(
        context: ServiceRequestContext,
        request: HttpRequest,
    ): HttpResponse =
        scope.respond(limits.patience) { response ->
            bodies.Share().use { share -> Exchange(context, request, response, share).run() }
        }

    private enum class Form { GRPC_WEB, GRPC_WEB_TEXT, JSON }

    /** One request and its response. */
    private inner class Exchange(
        private val context: ServiceRequestContext,
        private val request: HttpRequest,
        private val response: ResponseStream,
        private val share: BodyMemory.Share,
    ) {
        private val headers = request.headers()

        suspend fun run() {
            var form = Form.JSON
            var services: PeerServices? = null
            try {
                form = form()
                val (peer, path) = target()
                val body = request.readBody(limits.requestBytes.toLong(), share)
                context.clearRequestTimeout() // From here on the call's deadline counts.
                if (form == Form.JSON) {
                    val call = JsonCall(peer, peer.services().also { services = it }, path, body.decodeToString())
                    call.run()
                } else {
                    grpcWeb(peer, path, body, form)
                }
            } catch (refusal: Refusal) {
                val ending = Ending(refusal.status, http = refusal.http)
                when (form) {
                    Form.JSON -> response.writeFailure(ending, services?.json)
                    else -> GrpcWebAnswer(response, form == Form.GRPC_WEB_TEXT).end(ending)
                }
            }
        }

        private fun form(): Form {
            val type = request.contentType() ?: return Form.JSON
            val name = "${type.type()}/${type.subtype()}".lowercase()
            return when {
                name == "application/grpc-web" || name == "application/grpc-web+proto" -> Form.GRPC_WEB
                name == "application/grpc-web-text" || name == "application/grpc-web-text+proto" -> Form.GRPC_WEB_TEXT
                name == "application/json" -> Form.JSON
                else -> throw Refusal(Status.INVALID_ARGUMENT.withDescription("the gateway takes JSON and gRPC-Web, no $name"), HttpStatus.UNSUPPORTED_MEDIA_TYPE)
            }
        }

        /** The peer, and the path beneath it. */
        private fun target(): Pair<GatewayPeer, String> {
            val path = context.path()
            headers.get(PEER_HEADER)?.let { return peers.find(it) to path }
            val beneath = path.removePrefix("/peers/")
            val name = decode(beneath.substringBefore('/')) { true }
            return peers.find(name) to "/" + beneath.substringAfter('/', "")
        }

        private suspend fun grpcWeb(
            peer: GatewayPeer,
            path: String,
            body: ByteArray,
            form: Form,
        ) {
            val method = path.removePrefix("/")
            if (request.method() != HttpMethod.POST) throw methodNotAllowed("POST")
            if (!METHOD.matches(method)) throw malformed("the path has to end in /package.Service/Method")
            val isText = form == Form.GRPC_WEB_TEXT
            val requests = GrpcWebFrames.messages(if (isText) GrpcWebFrames.decodeText(body) else body)
            call(peer, method, requests, headers.deadline(), GrpcWebAnswer(response, isText))
        }

        private suspend fun call(
            peer: GatewayPeer,
            method: String,
            requests: List<ByteArray>,
            timeout: Duration?,
            answer: Answer,
        ) {
            val call = PeerCall(method, requests, headers.toMetadata(gatewayHasToken), timeout)
            peer.calling { call.make(it, answer).status }
        }

        private fun methodNotAllowed(allowed: String) =
            Refusal(Status.UNIMPLEMENTED.withDescription("${request.method()} is not for this path, $allowed is"), HttpStatus.METHOD_NOT_ALLOWED)

        /** A request that becomes messages by what the peer has told of its services. */
        private inner class JsonCall(
            private val peer: GatewayPeer,
            private var services: PeerServices,
            private val path: String,
            private val body: String,
        ) {
            suspend fun run() {
                val found = find() ?: run { services = peer.servicesAnew() }.let { find() } ?: throw notFound()
                found.call()
            }

            private fun find(): Found? {
                val matches = services.routes.matching(path)
                matches.find { it.route.verb == request.method().name }?.let { return Annotated(it) }
                val names = path.removePrefix("/").split('/')
                val method = if (names.size == 2) services.method(names[0], names[1]) else null
                if (method != null) {
                    if (request.method() != HttpMethod.POST) throw methodNotAllowed("POST")
                    return Named(method)
                }
                if (matches.isNotEmpty()) throw methodNotAllowed(matches.map { it.route.verb }.distinct().joinToString())
                return null
            }

            private fun notFound() = Refusal(Status.NOT_FOUND.withDescription("peer ${peer.known.name} has nothing at $path"))

            private abstract inner class Found(
                val method: MethodDescriptor,
            ) {
                /** @throws IllegalArgumentException if the request does not fit the method */
                abstract fun requests(): List<ByteArray>

                open fun print(message: ByteArray): String = services.json.print(method.outputType, message)

                suspend fun call() {
                    val requests =
                        try {
                            requests()
                        } catch (e: IllegalArgumentException) {
                            throw malformed(e.message.orEmpty(), e)
                        }
                    val isUnary = !method.isServerStreaming
                    val timeout = headers.deadline() ?: limits.unaryDeadline.takeIf { isUnary }
                    call(peer, "${method.service.fullName}/${method.name}", requests, timeout, answer(isUnary))
                }

                private fun answer(isUnary: Boolean): Answer =
                    when {
                        headers.accept().any { it.`is`(EVENTS) } -> EventsAnswer(response, services.json, ::print)
                        isUnary -> UnaryJsonAnswer(response, services.json, ::print)
                        else -> LinesAnswer(response, services.json, ::print)
                    }
            }

            private inner class Named(
                method: MethodDescriptor,
            ) : Found(method) {
                override fun requests(): List<ByteArray> {
                    val texts = if (method.isClientStreaming) manyValues(body).map { it.toString() } else listOf(body)
                    return texts.map { services.json.parse(method.inputType, it).toByteArray() }
                }
            }

            private inner class Annotated(
                private val match: HttpRoutes.Match,
            ) : Found(match.route.method) {
                override fun requests(): List<ByteArray> {
                    val query = QueryParams.fromQueryString(context.query()).map { it.key to it.value }
                    return listOf(RestRequest(services.json.parser).build(match, query, body).toByteArray())
                }

                override fun print(message: ByteArray): String {
                    val whole = super.print(message)
                    val name = match.route.responseBody.ifEmpty { return whole }
                    val field = method.outputType.findFieldByName(name) ?: throw garbage("${method.outputType.fullName} has no $name")
                    val part = oneValue(whole)[field.jsonName]
                    return JSON.writeValueAsString(part ?: if (field.javaType == JavaType.MESSAGE) JSON.createObjectNode() else null)
                }
            }
        }
    }

    private companion object {
        val METHOD = Regex("[A-Za-z_][A-Za-z0-9_.]*/[A-Za-z_][A-Za-z0-9_]*")
        val EVENTS = com.linecorp.armeria.common.MediaType.parse("text/event-stream")
    }
}
