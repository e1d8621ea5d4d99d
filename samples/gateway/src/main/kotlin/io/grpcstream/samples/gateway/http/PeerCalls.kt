package io.grpcstream.samples.gateway.http

import com.google.protobuf.Descriptors.FieldDescriptor.JavaType
import com.google.protobuf.Descriptors.MethodDescriptor
import com.linecorp.armeria.common.HttpMethod
import com.linecorp.armeria.common.HttpRequest
import com.linecorp.armeria.common.HttpResponse
import com.linecorp.armeria.common.HttpStatus
import com.linecorp.armeria.common.MediaType
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
                    val known = peer.services().also { services = it }
                    JsonCall(peer, known, path, body.decodeToString()).run()
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
            return when (name) {
                "application/grpc-web", "application/grpc-web+proto" -> {
                    Form.GRPC_WEB
                }

                "application/grpc-web-text", "application/grpc-web-text+proto" -> {
                    Form.GRPC_WEB_TEXT
                }

                "application/json" -> {
                    Form.JSON
                }

                else -> {
                    throw refusal(
                        Status.Code.INVALID_ARGUMENT,
                        "the gateway takes JSON and gRPC-Web, no $name",
                        HttpStatus.UNSUPPORTED_MEDIA_TYPE,
                    )
                }
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
            if (!METHOD.matches(
                    method,
                )
            ) {
                throw malformed("the path ends in no /package.Service/Method")
            }
            val isText = form == Form.GRPC_WEB_TEXT
            val frames = if (isText) GrpcWebFrames.decodeText(body) else body
            val requests = GrpcWebFrames.messages(frames, limits.requestMessages)
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
            refusal(
                Status.Code.UNIMPLEMENTED,
                "${request.method()} is not for this path, $allowed is",
                HttpStatus.METHOD_NOT_ALLOWED,
            )

        /** A request that becomes messages by what the peer has told of its services. */
        private inner class JsonCall(
            private val peer: GatewayPeer,
            private var services: PeerServices,
            private val path: String,
            private val body: String,
        ) {
            suspend fun run() {
                (find() ?: findAnew()).call()
            }

            private suspend fun findAnew(): Found {
                services = peer.servicesAnew()
                return find()
                    ?: throw refusal(
                        Status.Code.NOT_FOUND,
                        "peer ${peer.known.name} has nothing at $path",
                    )
            }

            private fun find(): Found? {
                val verb = request.method().name
                val matches = services.routes.matching(path)
                matches.find { it.route.verb == verb }?.let { return Annotated(it) }
                val names = path.removePrefix("/").split('/')
                val method = if (names.size == 2) services.method(names[0], names[1]) else null
                if (method != null) {
                    if (request.method() != HttpMethod.POST) throw methodNotAllowed("POST")
                    return Named(method)
                }
                if (matches.isEmpty()) return null
                throw methodNotAllowed(matches.map { it.route.verb }.distinct().joinToString())
            }

            private abstract inner class Found(
                val method: MethodDescriptor,
            ) {
                /** @throws IllegalArgumentException if the request does not fit the method */
                abstract fun requests(): List<ByteArray>

                open fun print(message: ByteArray): String =
                    services.json.print(method.outputType, message)

                suspend fun call() {
                    val requests =
                        try {
                            requests()
                        } catch (e: IllegalArgumentException) {
                            throw malformed(e.message.orEmpty(), e)
                        }
                    val isUnary = !method.isServerStreaming
                    val timeout = headers.deadline() ?: limits.unaryDeadline.takeIf { isUnary }
                    val name = "${method.service.fullName}/${method.name}"
                    call(peer, name, requests, timeout, answer(isUnary))
                }

                private fun answer(isUnary: Boolean): Answer {
                    val json = services.json
                    return when {
                        headers.accept().any {
                            it.`is`(
                                EVENTS,
                            )
                        } -> EventsAnswer(response, json, ::print)

                        isUnary -> UnaryJsonAnswer(response, json, ::print)

                        else -> LinesAnswer(response, json, ::print)
                    }
                }
            }

            private inner class Named(
                method: MethodDescriptor,
            ) : Found(method) {
                override fun requests(): List<ByteArray> {
                    if (!method.isClientStreaming) return listOf(method.parse(body))
                    return manyValues(body, limits.requestMessages) { method.parse(it.toString()) }
                }
            }

            private fun MethodDescriptor.parse(text: String) =
                services.json.parse(inputType, text).toByteArray()

            private inner class Annotated(
                private val match: HttpRoutes.Match,
            ) : Found(match.route.method) {
                override fun requests(): List<ByteArray> {
                    val parameters = QueryParams.fromQueryString(context.query())
                    val query = parameters.map { it.key to it.value }
                    val message = RestRequest(services.json.parser).build(match, query, body)
                    return listOf(message.toByteArray())
                }

                override fun print(message: ByteArray): String {
                    val whole = super.print(message)
                    val name = match.route.responseBody.ifEmpty { return whole }
                    val type = method.outputType
                    val field =
                        type.findFieldByName(name) ?: throw garbage("${type.fullName} has no $name")
                    val isMessage = field.javaType == JavaType.MESSAGE
                    val empty = if (isMessage) JSON.createObjectNode() else JSON.nullNode()
                    return JSON.writeValueAsString(oneValue(whole)[field.jsonName] ?: empty)
                }
            }
        }
    }

    private companion object {
        val METHOD = Regex("[A-Za-z_][A-Za-z0-9_.]*/[A-Za-z_][A-Za-z0-9_]*")
        val EVENTS = MediaType.parse("text/event-stream")
    }
}
