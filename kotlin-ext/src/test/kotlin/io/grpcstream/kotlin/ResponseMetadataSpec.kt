package io.grpcstream.kotlin

import io.grpc.CallOptions
import io.grpc.Metadata
import io.grpc.Status
import io.grpc.StatusException
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineStub
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.toList

private val GREETING: Metadata.Key<String> =
    Metadata.Key.of("greeting", Metadata.ASCII_STRING_MARSHALLER)

/** Greets in the headers and in the trailers of each response. */
private val greeting =
    ServerTap(
        onHeaders = { it.put(GREETING, "hello") },
        onClose = { _, trailers -> trailers.put(GREETING, "goodbye") },
    )

class ResponseMetadataSpec :
    StringSpec({
        "the headers, trailers and status of a call can be read after it" {
            calling(ScriptedGreeter(), greeting) { channel ->
                val metadata = ResponseMetadata()
                channel.withInterceptors(metadata).unary(UNARY, request("Ada"))
                metadata.headers()[GREETING] shouldBe "hello"
                metadata.trailers()[GREETING] shouldBe "goodbye"
                metadata.status().code shouldBe Status.Code.OK
            }
        }

        "headers can be read while the responses come" {
            val endless =
                ScriptedGreeter().apply {
                    serverStreaming = {
                        flow {
                            emit(reply("first"))
                            awaitCancellation()
                        }
                    }
                }
            calling(endless, greeting) { channel ->
                val metadata = ResponseMetadata()
                channel
                    .withInterceptors(metadata)
                    .serverStreaming(SERVER_STREAMING, request("Ada"))
                    .first { metadata.headers()[GREETING] == "hello" }
                metadata.status().code shouldBe Status.Code.CANCELLED
            }
        }

        "they are there for a generated stub" {
            calling(ScriptedGreeter(), greeting) { channel ->
                val metadata = ResponseMetadata()
                GreeterCoroutineStub(channel)
                    .withInterceptors(metadata)
                    .sayHelloStream(request("Ada"))
                    .toList()
                metadata.headers()[GREETING] shouldBe "hello"
                metadata.trailers()[GREETING] shouldBe "goodbye"
            }
        }

        "a failed call has its status, and no headers if none came" {
            val greeter =
                ScriptedGreeter().apply { unary = { throw Status.NOT_FOUND.asException() } }
            calling(greeter) { channel ->
                val metadata = ResponseMetadata()
                shouldThrow<StatusException> {
                    channel.withInterceptors(metadata).unary(UNARY, request("Ada"))
                }
                metadata.status().code shouldBe Status.Code.NOT_FOUND
                metadata.headers()[GREETING] shouldBe null
            }
        }

        "a call that is cancelled before it starts has ended" {
            calling { channel ->
                val metadata = ResponseMetadata()
                val call =
                    channel.withInterceptors(metadata).newCall(UNARY, CallOptions.DEFAULT)
                call.cancel("changed my mind", null)
                metadata.status().description shouldBe "changed my mind"
                metadata.headers().keys().shouldBeEmpty()
            }
        }

        "one serves one call only" {
            calling { channel ->
                val once = channel.withInterceptors(ResponseMetadata())
                once.unary(UNARY, request("Ada"))
                shouldThrow<IllegalStateException> { once.unary(UNARY, request("Ada")) }
                    .message shouldContain "greeter.Greeter/SayHello"
            }
        }

        "what is read is a copy" {
            calling(ScriptedGreeter(), greeting) { channel ->
                val metadata = ResponseMetadata()
                channel.withInterceptors(metadata).unary(UNARY, request("Ada"))
                metadata.headers().removeAll(GREETING)
                metadata.headers()[GREETING] shouldBe "hello"
            }
        }
    })
