package io.grpcstream.samples.gateway.http

import io.grpcstream.greeter.HelloReply
import io.grpcstream.greeter.HelloRequest
import io.grpcstream.greeter.helloRequest
import io.grpcstream.samples.gateway.Actor
import io.grpcstream.samples.gateway.Stage
import io.grpcstream.samples.gateway.onStage
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import java.net.http.HttpResponse
import java.nio.ByteBuffer

class GrpcWebSpec :
    StringSpec({
        fun frame(
            message: ByteArray,
            flags: Int = 0,
        ): ByteArray =
            ByteBuffer
                .allocate(
                    5 + message.size,
                ).put(flags.toByte())
                .putInt(message.size)
                .put(message)
                .array()

        fun hello(name: String): ByteArray {
            val request: HelloRequest = helloRequest { this.name = name }
            return frame(request.toByteArray())
        }

        class Answered(
            body: ByteArray,
        ) {
            val messages = ArrayList<String>()
            val trailers = ArrayList<String>()

            init {
                val bytes = ByteBuffer.wrap(body)
                while (bytes.hasRemaining()) {
                    val flags = bytes.get().toInt() and 0xff
                    val content = ByteArray(bytes.getInt()).also(bytes::get)
                    if (flags == 0x80) {
                        trailers += content.decodeToString().trim().split("\r\n")
                    } else {
                        messages += HelloReply.parseFrom(content).message
                    }
                }
            }
        }

        suspend fun Stage.call(
            method: String,
            body: ByteArray,
            vararg headers: String,
        ): Pair<HttpResponse<ByteArray>, Answered> {
            val response =
                post(
                    "/peers/peer0/greeter.Greeter/$method",
                    "application/grpc-web+proto",
                    body,
                    *headers,
                )
            return response to Answered(response.body())
        }

        "a unary call of gRPC-Web reaches a peer, and its headers and trailers come back" {
            onStage(Actor()) { stage ->
                val (response, answered) = stage.call("SayHello", hello("Ada"))
                response.statusCode() shouldBe 200
                response.headers().firstValue("content-type").get() shouldBe
                    "application/grpc-web+proto"
                response.headers().firstValue("x-said").get() shouldBe "header"
                answered.messages shouldContainExactly listOf("Hello, Ada!")
                answered.trailers shouldContainExactly listOf("grpc-status: 0", "x-said: trailer")
            }
        }

        "a peer without reflection is called just so" {
            onStage(
                Actor(),
                configure = { find = { throw UnsupportedOperationException() } },
            ) { stage ->
                stage.call("SayHello", hello("Ada")).second.messages shouldContainExactly
                    listOf("Hello, Ada!")
                stage
                    .post(
                        "/peers/peer0/greeter.Greeter/SayHello",
                        """{"name": "Ada"}""",
                    ).statusCode() shouldBe
                    503
            }
        }

        "a stream of gRPC-Web has all its messages, also in several pieces of text" {
            onStage(Actor()) { stage ->
                stage
                    .call(
                        "SayHelloStream",
                        hello("Ada Grace"),
                    ).second.messages shouldContainExactly
                    listOf("Hello, Ada!", "Hello, Grace!")

                val whole = hello("Ada Grace")
                val pieces =
                    GrpcWebFrames.encodeText(whole.copyOf(4)) +
                        GrpcWebFrames.encodeText(whole.copyOfRange(4, whole.size))
                val response =
                    stage.post(
                        "/peers/peer0/greeter.Greeter/SayHelloStream",
                        "application/grpc-web-text",
                        pieces,
                    )
                response.headers().firstValue("content-type").get() shouldBe
                    "application/grpc-web-text+proto"
                val answered = Answered(GrpcWebFrames.decodeText(response.body()))
                answered.messages shouldContainExactly listOf("Hello, Ada!", "Hello, Grace!")
                answered.trailers shouldContainExactly listOf("grpc-status: 0")
            }
        }

        "a failure has its status, its message and its details in the last frame" {
            onStage(Actor()) { stage ->
                val (response, answered) = stage.call("SayHello", hello("fail NOT_FOUND"))
                response.statusCode() shouldBe 200
                answered.messages shouldBe emptyList()
                answered.trailers shouldContain "grpc-status: 5"
                answered.trailers shouldContain "grpc-message: told to %E2%80%94 NOT_FOUND"
                answered.trailers.single {
                    it.startsWith(
                        "grpc-status-details-bin: ",
                    )
                } shouldContain
                    ": C"
                val (_, late) = stage.call("SayHelloStream", hello("late ABORTED"))
                late.messages shouldContainExactly listOf("0", "1")
                late.trailers shouldContain "grpc-status: 10"
            }
        }

        "what is no gRPC-Web is told so, in gRPC-Web, and reaches no peer" {
            onStage(Actor()) { stage ->
                stage
                    .call("SayHello", byteArrayOf(0, 0, 0))
                    .second.trailers
                    .first() shouldBe
                    "grpc-status: 3"
                stage
                    .call(
                        "SayHello",
                        frame(ByteArray(3)).copyOf(7),
                    ).second.trailers
                    .first() shouldBe
                    "grpc-status: 3"
                stage
                    .call(
                        "SayHello",
                        frame(ByteArray(3), flags = 1),
                    ).second.trailers
                    .first() shouldBe
                    "grpc-status: 12"
                stage
                    .call(
                        "SayHello",
                        frame(ByteArray(3), flags = 0x80),
                    ).second.trailers
                    .first() shouldBe
                    "grpc-status: 3"
                stage
                    .call("Say%20Hello", hello("Ada"))
                    .second.trailers
                    .first() shouldBe
                    "grpc-status: 3"
                stage
                    .call("Nothing", hello("Ada"))
                    .second.trailers
                    .first() shouldBe
                    "grpc-status: 12"
                val text =
                    stage.post(
                        "/peers/peer0/greeter.Greeter/SayHello",
                        "application/grpc-web-text",
                        "?".toByteArray(),
                    )
                Answered(GrpcWebFrames.decodeText(text.body())).trailers.first() shouldBe
                    "grpc-status: 3"
                stage
                    .post(
                        "/peers/peer0/greeter.Greeter/SayHello",
                        "application/grpc",
                        hello("Ada"),
                    ).statusCode() shouldBe
                    415
            }
        }
    })
