// Examples of HTTP and of JSON are lines as they are.
@file:Suppress("ktlint:standard:max-line-length")

package io.grpcstream.samples.gateway.http

import com.google.protobuf.Any
import com.google.protobuf.CodedOutputStream
import com.google.protobuf.DescriptorProtos.FileDescriptorProto
import com.google.protobuf.DescriptorProtos.MethodDescriptorProto
import com.google.protobuf.DescriptorProtos.ServiceDescriptorProto
import com.google.protobuf.Descriptors.FileDescriptor
import com.google.protobuf.Duration
import com.google.protobuf.Timestamp
import com.google.protobuf.WireFormat
import com.google.protobuf.util.JsonFormat.TypeRegistry
import com.google.rpc.RetryInfo
import io.grpc.InternalMetadata
import io.grpc.Metadata
import io.grpc.Status
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineImplBase
import io.grpcstream.greeter.HelloReply
import io.grpcstream.greeter.HelloRequest
import io.grpcstream.greeter.helloReply
import io.grpcstream.kotlin.currentCall
import io.grpcstream.samples.gateway.Actor
import io.grpcstream.samples.gateway.onStage
import io.grpcstream.samples.gateway.peers.PeerServices
import io.grpcstream.samples.gateway.rest.JSON
import io.grpcstream.samples.gateway.rest.MessageJson
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.comparables.shouldBeLessThan
import io.kotest.matchers.ints.shouldBeInRange
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldStartWith
import kotlinx.coroutines.delay
import kotlinx.coroutines.withTimeout
import java.io.ByteArrayOutputStream
import java.net.http.HttpRequest.BodyPublishers
import java.net.http.HttpResponse
import java.net.http.HttpResponse.BodyHandlers
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

class JsonSpec :
    StringSpec({
        fun HttpResponse<String>.lines() = body().trim().lines().map { JSON.readTree(it) }

        "a unary call in JSON is answered in JSON, with headers and trailers, but no cookie of a peer's" {
            onStage(Actor()) { stage ->
                val response =
                    stage.post(
                        "/peers/peer0/greeter.Greeter/SayHello",
                        """{"name": "Ada"}""",
                    )
                response.statusCode() shouldBe 200
                response.body() shouldBe """{"message":"Hello, Ada!"}"""
                response.headers().firstValue("content-type").get() shouldBe
                    "application/json; charset=utf-8"
                response.headers().firstValue("x-said").get() shouldBe "header"
                response.headers().firstValue("grpc-trailer-x-said").get() shouldBe "trailer"
                response.headers().allValues("set-cookie").shouldBeEmpty()
            }
        }

        "the peer is named by its id, or by a header, just as well" {
            onStage(Actor()) { stage ->
                val id =
                    stage.peers
                        .single()
                        .peerId()
                        .toString()
                stage
                    .post(
                        "/peers/$id/greeter.Greeter/SayHello",
                        """{"name": "Ada"}""",
                    ).statusCode() shouldBe
                    200
                stage
                    .post("/greeter.Greeter/SayHello", """{"name": "Ada"}""", "x-libp2p-peer", id)
                    .body() shouldBe """{"message":"Hello, Ada!"}"""
                stage
                    .post(
                        "/greeter.Greeter/SayHello",
                        "{}",
                        "x-libp2p-peer",
                        "nobody",
                    ).statusCode() shouldBe
                    404
            }
        }

        "a stream is lines of JSON, or server-sent events where they are asked for" {
            onStage(Actor()) { stage ->
                val path = "/peers/peer0/greeter.Greeter/SayHelloStream"
                val lines = stage.post(path, """{"name": "count 3"}""")
                lines.headers().firstValue("content-type").get() shouldContain
                    "application/x-ndjson"
                lines.lines().map { it["result"]["message"].asText() } shouldContainExactly
                    listOf("0", "1", "2")

                val events =
                    stage.post(
                        path,
                        """{"name": "count 2"}""",
                        "accept",
                        "text/event-stream",
                    )
                events.headers().firstValue("content-type").get() shouldContain "text/event-stream"
                events.body() shouldContain "event: message\ndata: {\"message\":\"0\"}\n\n"
                events.body() shouldContain "event: end\ndata: {\"code\":0,\"status\":\"OK\""
            }
        }

        "calls with several requests take them as lines, or as an array" {
            onStage(Actor()) { stage ->
                stage
                    .post(
                        "/peers/peer0/greeter.Greeter/SayHelloMany",
                        "{\"name\": \"Ada\"}\n{\"name\": \"Grace\"}",
                    ).body() shouldBe """{"message":"Hello, Ada and Grace!"}"""
                stage
                    .post(
                        "/peers/peer0/greeter.Greeter/Chat",
                        """[{"name": "Ada"}, {"name": "Grace"}]""",
                    ).lines()
                    .map { it["result"]["message"].asText() } shouldContainExactly
                    listOf("Hello, Ada!", "Hello, Grace!")
                stage.post("/peers/peer0/greeter.Greeter/SayHelloMany", "").body() shouldBe
                    """{"message":"Hello, !"}"""
            }
        }

        "each status has its code in HTTP, and its details in the body" {
            onStage(Actor()) { stage ->
                val codes =
                    mapOf(
                        "CANCELLED" to 499,
                        "UNKNOWN" to 500,
                        "INVALID_ARGUMENT" to 400,
                        "DEADLINE_EXCEEDED" to 504,
                        "NOT_FOUND" to 404,
                        "ALREADY_EXISTS" to 409,
                        "PERMISSION_DENIED" to 403,
                        "RESOURCE_EXHAUSTED" to 429,
                        "FAILED_PRECONDITION" to 400,
                        "ABORTED" to 409,
                        "OUT_OF_RANGE" to 400,
                        "UNIMPLEMENTED" to 501,
                        "INTERNAL" to 500,
                        "UNAVAILABLE" to 503,
                        "DATA_LOSS" to 500,
                        "UNAUTHENTICATED" to 401,
                    )
                for ((code, http) in codes) {
                    for (method in listOf("SayHello", "SayHelloStream")) {
                        val response =
                            stage.post(
                                "/peers/peer0/greeter.Greeter/$method",
                                """{"name": "fail $code"}""",
                            )
                        withClue("$method $code") { response.statusCode() shouldBe http }
                        val body = JSON.readTree(response.body())
                        body["status"].asText() shouldBe code
                        body["message"].asText() shouldBe "told to — $code"
                        body["details"][0]["@type"].asText() shouldBe
                            "type.googleapis.com/google.rpc.BadRequest"
                        body["details"][0]["fieldViolations"][0]["field"].asText() shouldBe "name"
                    }
                }
                val late =
                    stage.post(
                        "/peers/peer0/greeter.Greeter/SayHelloStream",
                        """{"name": "late ABORTED"}""",
                    )
                late.statusCode() shouldBe 200
                late.lines().last()["error"]["status"].asText() shouldBe "ABORTED"
            }
        }

        "an Any in which a peer has put Anys without end is printed as far as people would read it" {
            val json = PeerServices(listOf(ANYS.services.single())).json
            val printed = json.print(Any.getDescriptor(), anysWithin(50_000))
            printed shouldStartWith
                """{"@type":"type.googleapis.com/google.protobuf.Any","value":{"""
        }

        "a time that there is not is shown for what it is, and spoils nothing" {
            val json = MessageJson(TypeRegistry.newBuilder().build())
            val never = Timestamp.newBuilder().setSeconds(Long.MAX_VALUE).build()
            json.print(Timestamp.getDescriptor(), never.toByteArray()) shouldContain "@error"
            val detail =
                RetryInfo
                    .newBuilder()
                    .setRetryDelay(
                        DAY.setSeconds(Long.MAX_VALUE),
                    ).build()
            val types = TypeRegistry.newBuilder().add(RetryInfo.getDescriptor()).build()
            MessageJson(types).detail(Any.pack(detail))["@error"].asText() shouldContain "Any"
        }

        "headers of a peer's that are none in HTTP are left out, and so are those that proxies obey" {
            val peer =
                object : GreeterCoroutineImplBase() {
                    override suspend fun sayHello(request: HelloRequest): HelloReply {
                        val call = currentCall()
                        for (headers in listOf(call.responseHeaders, call.trailers)) {
                            headers.merge(
                                InternalMetadata.newMetadata(
                                    *listOf(
                                        "two words" to "1",
                                        "col:on" to "1",
                                        "l\u00e4" to "1",
                                        "new\r\nx-line" to "1",
                                        "x-accel-redirect" to "/secret",
                                        "x-sendfile" to "/etc/passwd",
                                        "x-fine" to "1",
                                    ).flatMap {
                                        listOf(
                                            it.first.toByteArray(),
                                            it.second.toByteArray(),
                                        )
                                    }.toTypedArray(),
                                ),
                            )
                        }
                        if (request.name == "fail") throw Status.ABORTED.asException()
                        return helloReply { message = "fine" }
                    }
                }
            onStage(peer) { stage ->
                val path = "/peers/peer0/greeter.Greeter/SayHello"
                val fine = stage.post(path, "{}")
                fine.statusCode() shouldBe 200
                fine
                    .headers()
                    .map()
                    .keys
                    .filter { it.startsWith("x-") } shouldContainExactly
                    listOf("x-content-type-options", "x-fine")
                fine.headers().firstValue("grpc-trailer-x-fine").get() shouldBe "1"
                stage.post(path, """{"name": "fail"}""").statusCode() shouldBe 409
                val events = stage.post(path, "{}", "accept", "text/event-stream").body()
                events shouldContain """["x-fine","1"]"""
                val web = stage.post(path, "application/grpc-web", ByteArray(5))
                web.body().decodeToString() shouldContain "x-fine: 1"
            }
        }

        "headers reach the peer, except those that are HTTP's, the gateway's, or claim to be someone" {
            val actor = Actor()
            onStage(actor) { stage ->
                stage
                    .post(
                        "/peers/peer0/greeter.Greeter/SayHello",
                        """{"name": "Ada"}""",
                        "x-request-id",
                        "7",
                        "some-bin",
                        "AQI=",
                        "grpc-metadata-x-more",
                        "8",
                        "authorization",
                        "Bearer of the peer",
                        "x-libp2p-peer-id",
                        "12D3KooWForged",
                        "grpc-metadata-x-libp2p-peer-id",
                        "12D3KooWForged",
                        "x-forwarded-for",
                        "10.0.0.1",
                        "cookie",
                        "a=b",
                        "x_libp2p_peer_id",
                        "12D3KooWForged",
                        "grpc-metadata-connection",
                        "close",
                        "grpc-metadata-content-length",
                        "7",
                        "grpc-metadata-transfer-encoding",
                        "chunked",
                    ).statusCode() shouldBe 200

                fun value(name: String) =
                    actor.headers[Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER)]
                value("x-request-id") shouldBe "7"
                value("x-more") shouldBe "8"
                value("authorization") shouldBe "Bearer of the peer"
                actor.headers[Metadata.Key.of("some-bin", Metadata.BINARY_BYTE_MARSHALLER)] shouldBe
                    byteArrayOf(1, 2)
                for (name in listOf(
                    "x-libp2p-peer-id",
                    "x_libp2p_peer_id",
                    "connection",
                    "transfer-encoding",
                    "x-forwarded-for",
                    "cookie",
                    "host",
                    "content-length",
                )) {
                    withClue(name) { (name in actor.headers.keys()) shouldBe false }
                }
                stage
                    .post("/peers/peer0/greeter.Greeter/SayHello", "{}", "some-bin", "no base64!")
                    .statusCode() shouldBe 400
            }
        }

        "the deadline reaches the peer, and ends the call" {
            val actor = Actor()
            onStage(actor) { stage ->
                for (header in listOf(
                    "grpc-timeout" to "9S",
                    "x-deadline" to "9s",
                    "connect-timeout-ms" to "9000",
                )) {
                    stage.post(
                        "/peers/peer0/greeter.Greeter/SayHello",
                        "{}",
                        header.first,
                        header.second,
                    )
                    actor.left!!.toInt() shouldBeInRange 1..9_000
                }
                val late =
                    stage.post(
                        "/peers/peer0/greeter.Greeter/SayHello",
                        """{"name": "hang"}""",
                        "grpc-timeout",
                        "50m",
                    )
                late.statusCode() shouldBe 504
                withTimeout(20.seconds) { actor.cancelled.await() }
                stage
                    .post(
                        "/peers/peer0/greeter.Greeter/SayHello",
                        "{}",
                        "grpc-timeout",
                        "soon",
                    ).statusCode() shouldBe
                    400
                stage
                    .post(
                        "/peers/peer0/greeter.Greeter/SayHello",
                        "{}",
                        "x-deadline",
                        "-1s",
                    ).statusCode() shouldBe
                    400
            }
        }

        "a client that goes has its call cancelled at the peer" {
            for (method in listOf("SayHello", "SayHelloStream")) {
                val actor = Actor()
                onStage(actor) { stage ->
                    RawClient(stage.gateway.uri).use { client ->
                        client.post("/peers/peer0/greeter.Greeter/$method", """{"name": "hang"}""")
                        eventually(20.seconds) { actor.headers.keys().isEmpty() shouldBe false }
                    }
                    withTimeout(20.seconds) { actor.cancelled.await() }
                }
            }
        }

        "a slow reader holds up the peer, and costs the gateway no more than what is in flight" {
            val actor = Actor()
            onStage(actor) { stage ->
                RawClient(stage.gateway.uri).use { client ->
                    client.post(
                        "/peers/peer0/greeter.Greeter/SayHelloStream",
                        """{"name": "flood 65536"}""",
                    )
                    client.readLine() shouldBe "HTTP/1.1 200 OK"
                    var before = -1
                    // It stands still once all that lies between is full.
                    eventually(30.seconds) {
                        val now = actor.sent.get()
                        val stands = now == before && now > 0
                        before = now
                        delay(300.milliseconds)
                        stands shouldBe true
                    }
                    val full = actor.sent.get()
                    full shouldBeLessThan 400 // 25 MiB, most of it in the kernel's socket buffers.
                    client.read(full * 65_536 / 2 + 8_000_000)
                    eventually(20.seconds) { (actor.sent.get() > full) shouldBe true }
                }
            }
        }

        "messages arrive as they come, not when the stream ends" {
            onStage(Actor()) { stage ->
                val request =
                    stage
                        .request(
                            "/peers/peer0/greeter.Greeter/SayHelloStream",
                            "content-type",
                            "application/json",
                        ).POST(BodyPublishers.ofString("""{"name": "hang"}"""))
                val response = stage.send(request, BodyHandlers.ofInputStream())
                response.body().use { body ->
                    body.bufferedReader().readLine() shouldBe """{"result":{"message":"first"}}"""
                }
            }
        }
    })

/** A service of Anys. */
private val ANYS: FileDescriptor =
    FileDescriptor.buildFrom(
        FileDescriptorProto
            .newBuilder()
            .setName("anys.proto")
            .addDependency("google/protobuf/any.proto")
            .addService(
                ServiceDescriptorProto.newBuilder().setName("Anys").addMethod(
                    MethodDescriptorProto
                        .newBuilder()
                        .setName("Get")
                        .setInputType(".google.protobuf.Any")
                        .setOutputType(".google.protobuf.Any"),
                ),
            ).build(),
        arrayOf(Any.getDescriptor().file),
    )

private val DAY = Duration.newBuilder()

/** An Any that holds an Any, which holds one, and so on. */
private fun anysWithin(depth: Int): ByteArray {
    val type = "type.googleapis.com/google.protobuf.Any".toByteArray()
    var size = 0
    val heads =
        List(depth) {
            val head = ByteArrayOutputStream()
            CodedOutputStream.newInstance(head).apply {
                writeByteArray(Any.TYPE_URL_FIELD_NUMBER, type)
                writeTag(Any.VALUE_FIELD_NUMBER, WireFormat.WIRETYPE_LENGTH_DELIMITED)
                writeUInt32NoTag(size)
                flush()
            }
            head.toByteArray().also { size += it.size }
        }
    return ByteArrayOutputStream().apply { heads.asReversed().forEach(::write) }.toByteArray()
}
