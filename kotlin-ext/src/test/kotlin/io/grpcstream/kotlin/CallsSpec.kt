package io.grpcstream.kotlin

import io.grpc.Channel
import io.grpc.Metadata
import io.grpc.MethodDescriptor
import io.grpc.MethodDescriptor.MethodType
import io.grpc.ServerServiceDefinition
import io.grpc.Status
import io.grpc.StatusException
import io.grpc.stub.ServerCalls
import io.grpcstream.greeter.GreeterGrpc
import io.grpcstream.greeter.HelloReply
import io.grpcstream.greeter.HelloRequest
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeSameInstanceAs
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.emptyFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import java.util.concurrent.atomic.AtomicInteger

internal val UNARY = GreeterGrpc.getSayHelloMethod()
internal val SERVER_STREAMING = GreeterGrpc.getSayHelloStreamMethod()
internal val CLIENT_STREAMING = GreeterGrpc.getSayHelloManyMethod()
internal val BIDI_STREAMING = GreeterGrpc.getChatMethod()

private val REASON: Metadata.Key<String> =
    Metadata.Key.of("reason", Metadata.ASCII_STRING_MARSHALLER)

/** Each kind of call, with the requests of a flow where it takes one; returns after its end. */
internal val KINDS: Map<String, suspend Channel.(Flow<HelloRequest>) -> Any> =
    mapOf(
        "unary" to { unary(UNARY, request("Ada")) },
        "server-streaming" to { serverStreaming(SERVER_STREAMING, request("Ada")).toList() },
        "client-streaming" to { clientStreaming(CLIENT_STREAMING, it) },
        "bidirectional" to { bidiStreaming(BIDI_STREAMING, it).toList() },
    )

/** Those that take a flow of requests. */
private val SENDING = KINDS.filterKeys { it == "client-streaming" || it == "bidirectional" }

private val never = flow<HelloRequest> { awaitCancellation() }

class CallsSpec :
    StringSpec({
        "a call of each kind returns what the service sent" {
            val names = flowOf("Ada", "Grace").map(::request)
            calling { channel ->
                channel.unary(UNARY, request("Ada")).message shouldBe "Hello, Ada!"
                channel
                    .serverStreaming(SERVER_STREAMING, request("Ada"))
                    .map { it.message }
                    .toList() shouldBe listOf("Ada 0", "Ada 1", "Ada 2")
                channel.clientStreaming(CLIENT_STREAMING, names).message shouldBe "Ada, Grace"
                channel
                    .bidiStreaming(BIDI_STREAMING, names)
                    .map { it.message }
                    .toList() shouldBe listOf("Hello, Ada!", "Hello, Grace!")
            }
        }

        "a method of another kind is refused at once, by name" {
            calling { channel ->
                val none = emptyFlow<HelloRequest>()
                shouldThrow<IllegalArgumentException> { channel.unary(BIDI_STREAMING, request("")) }
                    .message shouldBe "greeter.Greeter/Chat is BIDI_STREAMING, not UNARY"
                shouldThrow<IllegalArgumentException> {
                    channel.serverStreaming(UNARY, request(""))
                }
                shouldThrow<IllegalArgumentException> { channel.clientStreaming(UNARY, none) }
                shouldThrow<IllegalArgumentException> { channel.bidiStreaming(UNARY, none) }
            }
        }

        KINDS.forEach { (kind, call) ->
            "a $kind call throws the service's status with its trailers" {
                val failure =
                    StatusException(
                        Status.NOT_FOUND.withDescription("no such name"),
                        Metadata().apply { put(REASON, "unborn") },
                    )
                val greeter =
                    ScriptedGreeter().apply {
                        unary = { throw failure }
                        serverStreaming = { flow { throw failure } }
                        clientStreaming = { throw failure }
                        bidiStreaming = { flow { throw failure } }
                    }
                calling(greeter) { channel ->
                    val thrown = shouldThrow<StatusException> { channel.call(never) }
                    thrown.status.code shouldBe Status.Code.NOT_FOUND
                    thrown.status.description shouldBe "no such name"
                    thrown.trailers?.get(REASON) shouldBe "unborn"
                }
            }

            "cancelling the caller of a $kind call cancels the service's coroutine" {
                val greeter = SilentGreeter()
                calling(greeter) { channel ->
                    coroutineScope {
                        val caller = launch { channel.call(never) }
                        greeter.called.await()
                        caller.cancelAndJoin()
                        greeter.cancelled.await()
                    }
                }
            }
        }

        "cancelling a call cancels the calls that its service makes" {
            val last = SilentGreeter()
            calling(last) { onward ->
                val relay = ScriptedGreeter().apply { unary = { onward.unary(UNARY, it) } }
                calling(relay) { channel ->
                    coroutineScope {
                        val caller = launch { channel.unary(UNARY, request("Ada")) }
                        last.called.await()
                        caller.cancelAndJoin()
                        last.cancelled.await()
                    }
                }
            }
        }

        SENDING.forEach { (kind, call) ->
            "a failing flow of requests cancels its $kind call and is thrown as it is" {
                val greeter = SilentGreeter()
                val failure = NoSuchElementException("no more names")
                calling(greeter) { channel ->
                    val requests =
                        flow {
                            emit(request("Ada"))
                            greeter.called.await()
                            throw failure
                        }
                    shouldThrow<NoSuchElementException> { channel.call(requests) }
                        .rootCause() shouldBeSameInstanceAs failure
                    greeter.cancelled.await()
                }
            }

            "the end of a $kind call cancels its flow of requests" {
                val greeter =
                    ScriptedGreeter().apply {
                        clientStreaming = { reply(it.first().name) }
                        bidiStreaming = { requests -> requests.take(1).map(::greet) }
                    }
                val cancelled = CompletableDeferred<Unit>()
                calling(greeter) { channel ->
                    channel.call(
                        flow {
                            emit(request("Ada"))
                            try {
                                awaitCancellation()
                            } finally {
                                cancelled.complete(Unit)
                            }
                        },
                    )
                    cancelled.isCompleted shouldBe true
                }
            }
        }

        listOf(0, 2).forEach { responses ->
            "an OK with $responses responses where one is due is INTERNAL" {
                callingService(answering(responses)) { channel ->
                    val text = if (responses == 0) "without a response" else "second response"
                    listOf("unary", "client-streaming").forEach { kind ->
                        val call = KINDS.getValue(kind)
                        shouldThrow<StatusException> { channel.call(emptyFlow()) }
                            .status
                            .apply { code shouldBe Status.Code.INTERNAL }
                            .description shouldContain text
                    }
                }
            }
        }

        "a flow of responses is a call each time it is collected" {
            val calls = AtomicInteger()
            val greeter =
                ScriptedGreeter().apply {
                    serverStreaming = { flow { emit(reply("${calls.incrementAndGet()}")) } }
                }
            calling(greeter) { channel ->
                val flow = channel.serverStreaming(SERVER_STREAMING, request("Ada"))
                calls.get() shouldBe 0
                flow.first().message shouldBe "1"
                flow.first().message shouldBe "2"
            }
        }

        "a collector that has enough cancels the call" {
            val cancelled = CompletableDeferred<Unit>()
            val greeter =
                ScriptedGreeter().apply {
                    serverStreaming = {
                        flow {
                            emit(reply("only"))
                            try {
                                awaitCancellation()
                            } finally {
                                cancelled.complete(Unit)
                            }
                        }
                    }
                }
            calling(greeter) { channel ->
                channel
                    .serverStreaming(SERVER_STREAMING, request("Ada"))
                    .first()
                    .message shouldBe "only"
                cancelled.await()
            }
        }
    })

internal fun Throwable.rootCause(): Throwable = cause?.rootCause() ?: this

/** A greeter that sends so many responses to its unary and client-streaming calls. */
private fun answering(responses: Int): ServerServiceDefinition {
    fun MethodDescriptor<HelloRequest, HelloReply>.untyped() =
        toBuilder().setType(MethodType.BIDI_STREAMING).build()
    val handler =
        ServerCalls.asyncBidiStreamingCall<HelloRequest, HelloReply> { answer ->
            repeat(responses) { answer.onNext(reply("$it")) }
            answer.onCompleted()
            IgnoredRequests
        }
    return ServerServiceDefinition
        .builder("greeter.Greeter")
        .addMethod(UNARY.untyped(), handler)
        .addMethod(CLIENT_STREAMING.untyped(), handler)
        .build()
}
