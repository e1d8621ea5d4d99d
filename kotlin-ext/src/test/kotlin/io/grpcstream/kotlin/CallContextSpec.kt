package io.grpcstream.kotlin

import io.grpc.ClientInterceptors
import io.grpc.Metadata
import io.grpc.stub.MetadataUtils
import io.grpcstream.greeter.GreeterGrpc
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineStub
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.comparables.shouldBeLessThanOrEqualTo
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineName
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import java.util.concurrent.TimeUnit.SECONDS
import java.util.concurrent.atomic.AtomicReference
import kotlin.coroutines.AbstractCoroutineContextElement
import kotlin.coroutines.CoroutineContext

private fun key(name: String) = Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER)

private val NAME = key("x-name")
private val TRACE = key("x-trace")

private class Trace(
    val id: String,
) : AbstractCoroutineContextElement(Trace) {
    companion object Key : CoroutineContext.Key<Trace>
}

private object TraceFromHeaders : ContextPropagator {
    override fun extract(headers: Metadata) = Trace(headers[TRACE] ?: error("no trace"))
}

private fun sending(
    key: Metadata.Key<String>,
    value: String,
) = MetadataUtils.newAttachHeadersInterceptor(Metadata().apply { put(key, value) })

class CallContextSpec :
    StringSpec({
        "each kind of call knows its peer, also after withContext and in children" {
            val services =
                bothKinds {
                    val here = currentPeer().peerId()
                    val elsewhere = withContext(Dispatchers.IO) { currentPeer().peerId() }
                    val child = coroutineScope { async { currentCall().peer.peerId() }.await() }
                    reply("$here $elsewhere $child")
                }
            services.values.forEach { service ->
                var dialled = ""
                calling(service) { channel ->
                    dialled = ""
                    allCalls(channel) { call ->
                        val ids = call().message.split(" ")
                        ids.toSet().size shouldBe 1
                        if (dialled.isEmpty()) dialled = ids.first()
                        ids.first() shouldBe dialled
                        ids.first() shouldContain "12D3"
                    }
                }
            }
        }

        "outside of a service there is neither a call nor a peer" {
            shouldThrow<IllegalStateException> { currentPeer() }
            shouldThrow<IllegalStateException> { currentCall() }.message shouldContain "no call"
        }

        "headers come in, and headers and trailers go back, in calls of all kinds" {
            val services =
                bothKinds {
                    val call = currentCall()
                    call.responseHeaders.put(NAME, "header of ${call.method.bareMethodName}")
                    call.trailers.put(NAME, "trailer")
                    reply(call.headers[NAME] ?: "none")
                }
            services.values.forEach { service ->
                calling(service) { channel ->
                    val headers = AtomicReference<Metadata>()
                    val trailers = AtomicReference<Metadata>()
                    val capturing =
                        ClientInterceptors.intercept(
                            channel,
                            sending(NAME, "from the caller"),
                            MetadataUtils.newCaptureMetadataInterceptor(headers, trailers),
                        )
                    allCalls(capturing) { call ->
                        call().message shouldBe "from the caller"
                        headers.get()[NAME] shouldContain "header of"
                        trailers.get()[NAME] shouldBe "trailer"
                    }
                }
            }
        }

        "response headers can be sent before the first response" {
            val proceed = CompletableDeferred<Unit>()
            val service =
                grpcService(GREETER) {
                    serverStreaming(GreeterGrpc.getSayHelloStreamMethod()) {
                        val call = currentCall()
                        call.responseHeaders.put(NAME, "early")
                        call.sendHeaders()
                        call.sendHeaders()
                        flow {
                            proceed.await()
                            emit(reply("late"))
                        }
                    }
                }
            calling({ service(service) }) { channel ->
                val metadata = ResponseMetadata()
                val stub = GreeterCoroutineStub(channel).withInterceptors(metadata)
                coroutineScope {
                    launch {
                        metadata.headers()[NAME] shouldBe "early"
                        proceed.complete(Unit)
                    }
                    stub.sayHelloStream(request("Ada")).first().message shouldBe "late"
                }
            }
        }

        "the elements that a propagator extracts are in the coroutine of each kind of service" {
            val services =
                bothKinds { reply(checkNotNull(currentCoroutineContext()[Trace]).id) }
            services.values.forEach { service ->
                calling({
                    service()
                    propagate(TraceFromHeaders)
                }) { channel ->
                    val tracing = ClientInterceptors.intercept(channel, sending(TRACE, "t-1"))
                    allCalls(tracing) { it().message shouldBe "t-1" }
                }
            }
        }

        "what a service was given itself goes before what the stream gives to all" {
            calling({
                context = CoroutineName("all")
                service(GREETER, CoroutineName("this one")) {
                    allKinds { reply(currentCoroutineContext()[CoroutineName]?.name ?: "none") }
                }
            }) { channel -> allCalls(channel) { it().message shouldBe "this one" } }
            calling({
                context = CoroutineName("all")
                service(
                    generated { reply(currentCoroutineContext()[CoroutineName]?.name ?: "none") },
                )
            }) { channel -> allCalls(channel) { it().message shouldBe "all" } }
        }

        "the deadline that came with a call bounds the calls that its service makes" {
            val backend =
                bothKinds {
                    val left =
                        io.grpc.Context
                            .current()
                            .deadline
                    reply(left?.timeRemaining(SECONDS)?.toString() ?: "no deadline")
                }
            calling(backend.getValue("from lambdas")) { downstream ->
                bothKinds { GreeterCoroutineStub(downstream).sayHello(it) }.values.forEach {
                    calling(it) { channel ->
                        val stub = GreeterCoroutineStub(channel)
                        stub.sayHello(request("Ada")).message shouldBe "no deadline"
                        stub
                            .withDeadlineAfter(100, SECONDS)
                            .sayHello(request("Ada"))
                            .message
                            .toInt() shouldBeLessThanOrEqualTo 100
                    }
                }
            }
        }
    })
