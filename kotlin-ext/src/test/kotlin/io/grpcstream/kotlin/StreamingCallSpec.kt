package io.grpcstream.kotlin

import io.grpc.CallOptions
import io.grpc.Channel
import io.grpc.ClientCall
import io.grpc.ClientInterceptor
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener
import io.grpc.Metadata
import io.grpc.MethodDescriptor
import io.grpc.Status
import io.grpc.StatusException
import io.grpcstream.greeter.HelloRequest
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.onCompletion
import kotlinx.coroutines.flow.onEach
import kotlinx.coroutines.flow.toList
import java.io.InputStream
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.seconds

/** Counts the messages of a call, and lets it be ready only once told. */
private class Gauge(
    private var ready: Boolean = true,
) : ClientInterceptor {
    val sent = AtomicInteger()
    val received = AtomicInteger()
    private val becomeReady = CompletableDeferred<() -> Unit>()

    suspend fun becomeReady() = becomeReady.await().invoke()

    override fun <Q, R> interceptCall(
        method: MethodDescriptor<Q, R>,
        options: CallOptions,
        next: Channel,
    ): ClientCall<Q, R> =
        object : SimpleForwardingClientCall<Q, R>(next.newCall(method, options)) {
            override fun start(
                responseListener: Listener<R>,
                headers: Metadata,
            ) {
                super.start(counting(responseListener), headers)
                becomeReady.complete {
                    ready = true
                    responseListener.onReady()
                }
            }

            override fun isReady() = ready && super.isReady()

            override fun sendMessage(message: Q) {
                sent.incrementAndGet()
                super.sendMessage(message)
            }
        }

    private fun <R> counting(listener: ClientCall.Listener<R>) =
        object : SimpleForwardingClientCallListener<R>(listener) {
            override fun onMessage(message: R) {
                received.incrementAndGet()
                super.onMessage(message)
            }
        }
}

class StreamingCallSpec :
    StringSpec({
        "no more than four responses are taken ahead of the collector" {
            val emitted = CompletableDeferred<Unit>()
            val greeter =
                ScriptedGreeter().apply {
                    serverStreaming = {
                        flow { repeat(100) { emit(reply("$it")) } }
                            .onCompletion { emitted.complete(Unit) }
                    }
                }
            calling(greeter) { channel ->
                val gauge = Gauge()
                var collected = 0
                channel
                    .withInterceptors(gauge)
                    .serverStreaming(SERVER_STREAMING, request("Ada"))
                    .collect {
                        if (++collected == 10) {
                            emitted.await()
                            // Its response comes behind all of the stream's, but each call has a
                            // queue of its own on the executor.
                            channel.unary(UNARY, request("Ada"))
                            eventually(30.seconds) { gauge.received.get() shouldBe 10 + 4 }
                            channel.unary(UNARY, request("Ada"))
                            gauge.received.get() shouldBe 10 + 4
                        }
                    }
                collected shouldBe 100
            }
        }

        "requests are taken from their flow only when the transport is ready for one" {
            calling { channel ->
                val gauge = Gauge(ready = false)
                val taken = AtomicInteger()
                val requests =
                    flowOf("Ada", "Grace", "Alan").map(::request).onEach { taken.incrementAndGet() }
                coroutineScope {
                    val replies =
                        async {
                            channel
                                .withInterceptors(gauge)
                                .bidiStreaming(BIDI_STREAMING, requests)
                                .toList()
                        }
                    eventually(10.seconds) { taken.get() shouldBe 1 }
                    channel.unary(UNARY, request("Ada"))
                    taken.get() shouldBe 1
                    gauge.sent.get() shouldBe 0

                    gauge.becomeReady()
                    replies.await().size shouldBe 3
                    gauge.sent.get() shouldBe 3
                }
            }
        }

        "a request that cannot be written fails its call alone" {
            val failure = NoSuchElementException("no bytes")
            calling { channel ->
                val names = flowOf(request("Ada"))
                listOf<suspend () -> Unit>(
                    { channel.unary(UNARY.failing(failure), request("Ada")) },
                    {
                        channel
                            .serverStreaming(SERVER_STREAMING.failing(failure), request("Ada"))
                            .toList()
                    },
                    { channel.clientStreaming(CLIENT_STREAMING.failing(failure), names) },
                    { channel.bidiStreaming(BIDI_STREAMING.failing(failure), names).toList() },
                ).forEach { call ->
                    val thrown = shouldThrow<StatusException> { call() }
                    thrown.status.code shouldBe Status.Code.CANCELLED
                    thrown.status.cause shouldBe failure
                }
                channel.unary(UNARY, request("Ada")).message shouldBe "Hello, Ada!"
            }
        }

        "ten thousand messages go there and back in their order" {
            calling { channel ->
                var next = 0
                channel
                    .bidiStreaming(
                        BIDI_STREAMING,
                        flow { repeat(10_000) { emit(request("$it")) } },
                    ).collect { it.message shouldBe "Hello, ${next++}!" }
                next shouldBe 10_000
            }
        }
    })

private fun <R> MethodDescriptor<HelloRequest, R>.failing(failure: RuntimeException) =
    toBuilder<HelloRequest, R>(
        object : MethodDescriptor.Marshaller<HelloRequest> {
            override fun stream(value: HelloRequest): InputStream = throw failure

            override fun parse(stream: InputStream): HelloRequest = throw failure
        },
        responseMarshaller,
    ).build()
