package io.grpcstream.kotlin

import io.grpc.MethodDescriptor
import io.grpc.Status.Code
import io.grpc.StatusException
import io.grpcstream.greeter.GreeterGrpc
import io.grpcstream.greeter.HelloReply
import io.grpcstream.greeter.HelloRequest
import io.grpcstream.greeter.helloRequest
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.onCompletion
import kotlinx.coroutines.flow.onStart
import kotlinx.coroutines.flow.toList
import java.io.ByteArrayInputStream
import java.io.InputStream

/** What becomes of a service's coroutine when another than the service ends the call. */
class EndedCallSpec :
    StringSpec({
        "a request that cannot be parsed ends the coroutine of a service from lambdas" {
            val collecting = CompletableDeferred<Unit>()
            val ended = CompletableDeferred<Throwable?>()
            val service =
                grpcService("greeter.Greeter") {
                    clientStreaming(GreeterGrpc.getSayHelloManyMethod()) { requests ->
                        requests
                            .onStart { collecting.complete(Unit) }
                            .onCompletion { ended.complete(it) }
                            .toList()
                        reply("never")
                    }
                }
            callingService(service) { channel ->
                shouldThrow<StatusException> {
                    channel.clientStreaming(
                        garbled,
                        endless(collecting),
                    )
                }
                checkNotNull(ended.await())
            }
        }

        "a request that cannot be parsed ends the coroutine of a generated service" {
            val collecting = CompletableDeferred<Unit>()
            val ended = CompletableDeferred<Throwable?>()
            val greeter =
                ScriptedGreeter().apply {
                    clientStreaming = { requests: Flow<HelloRequest> ->
                        requests
                            .onStart { collecting.complete(Unit) }
                            .onCompletion { ended.complete(it) }
                            .toList()
                        reply("never")
                    }
                }
            calling({ service(greeter) }) { channel ->
                shouldThrow<StatusException> {
                    channel.clientStreaming(
                        garbled,
                        endless(collecting),
                    )
                }
                checkNotNull(ended.await())
            }
        }

        "a request that is too large ends the call with RESOURCE_EXHAUSTED" {
            val greeter =
                ScriptedGreeter().apply {
                    clientStreaming = { requests: Flow<HelloRequest> ->
                        requests.toList()
                        reply("never")
                    }
                }
            val tooLarge =
                flow {
                    emit(helloRequest { name = "A".repeat(4 shl 20) })
                    awaitCancellation()
                }
            calling({ service(greeter) }) { channel ->
                repeat(10) {
                    shouldThrow<StatusException> {
                        channel.clientStreaming(GreeterGrpc.getSayHelloManyMethod(), tooLarge)
                    }.status.code shouldBe Code.RESOURCE_EXHAUSTED
                }
            }
        }
    })

private object Garbling : MethodDescriptor.Marshaller<String> {
    override fun stream(value: String): InputStream = ByteArrayInputStream(byteArrayOf(-1, -1, -1))

    override fun parse(stream: InputStream): String = error("only the client's side is used")
}

/**
 * One message, once there is a coroutine to end, and no end: so it is not the end of the requests that
 * ends the service.
 */
private fun endless(collecting: CompletableDeferred<Unit>) =
    flow {
        collecting.await()
        emit("?")
        awaitCancellation()
    }

/** The method for a client whose messages are no protobuf. */
private val garbled: MethodDescriptor<String, HelloReply> =
    GreeterGrpc.getSayHelloManyMethod().let { method ->
        method.toBuilder(Garbling, method.responseMarshaller).build()
    }
