package io.grpcstream.opentelemetry

import io.grpc.CallOptions
import io.grpc.Channel
import io.grpc.Context
import io.grpc.stub.StreamObserver
import io.grpcstream.GrpcPeer
import io.grpcstream.GrpcStream
import io.grpcstream.PeerChannelBuilder
import io.grpcstream.PeerServerBuilder
import io.grpcstream.greeter.GreeterGrpc
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineImplBase
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineStub
import io.grpcstream.greeter.HelloReply
import io.grpcstream.greeter.HelloRequest
import io.grpcstream.greeter.helloReply
import io.grpcstream.greeter.helloRequest
import io.grpcstream.kotlin.GrpcPeerBuilder
import io.grpcstream.kotlin.grpcPeer
import io.grpcstream.kotlin.grpcService
import io.grpcstream.kotlin.shutdownAndAwait
import io.grpcstream.kotlin.startAndAwait
import io.grpcstream.kotlin.unary
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.shouldBe
import io.opentelemetry.api.trace.Span
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator
import io.opentelemetry.context.propagation.ContextPropagators
import io.opentelemetry.sdk.OpenTelemetrySdk
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter
import io.opentelemetry.sdk.trace.SdkTracerProvider
import io.opentelemetry.sdk.trace.data.SpanData
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.withContext
import kotlinx.coroutines.yield
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

private const val PROTOCOL = "/greeter/1.0.0"

/** Calls that pass three peers, A to B to C, each with a tracer of its own, as in three processes. */
class TraceSpec :
    FunSpec({
        val exporter = InMemorySpanExporter.create()
        val peers = mutableListOf<GrpcPeer>()

        beforeTest { exporter.reset() }

        afterTest {
            peers.forEach { it.shutdownAndAwait(Duration.ZERO) }
            peers.clear()
        }

        fun tracer(): OpenTelemetrySdk =
            OpenTelemetrySdk
                .builder()
                .setPropagators(ContextPropagators.create(W3CTraceContextPropagator.getInstance()))
                .setTracerProvider(
                    SdkTracerProvider
                        .builder()
                        .addSpanProcessor(SimpleSpanProcessor.create(exporter))
                        .build(),
                ).build()

        suspend fun peer(configure: GrpcPeerBuilder.() -> Unit): GrpcPeer {
            val peer =
                grpcPeer {
                    listen("/memory/0")
                    install(PeerTelemetry.create(tracer()))
                    configure()
                }
            peers += peer
            return peer.startAndAwait()
        }

        fun GrpcPeer.to(other: GrpcPeer): Channel = channel(other.addresses().first(), PROTOCOL)

        /** C: a service in Java, on threads of gRPC's. */
        suspend fun last(): GrpcPeer = peer { serve(PROTOCOL) { service(JavaGreeter()) } }

        /** The spans of one call through three peers, by kind and name; all of one trace, each within another. */
        suspend fun oneTrace(method: String) {
            // A call, its attempt and its serving; there and further on.
            eventually(20.seconds) { exporter.finishedSpanItems shouldHaveSize 6 }
            val spans = exporter.finishedSpanItems
            spans.map { it.traceId }.distinct() shouldHaveSize 1
            val path =
                generateSequence(spans.single { !it.parentSpanContext.isValid }) { it.child(spans) }
            path.map { it.name }.toList() shouldBe
                List(2) { listOf("Sent.$method", "Attempt.$method", "Recv.$method") }.flatten()
        }

        test("a call that passes a generated coroutine service is one trace over three peers") {
            val c = last()
            lateinit var b: GrpcPeer
            b = peer { serve(PROTOCOL) { service(ForwardingGreeter { b.to(c) }) } }
            val a = peer {}
            GreeterCoroutineStub(a.to(b)).sayHello(helloRequest { name = "Ada" }).message shouldBe
                "Hello, Ada, by B"
            oneTrace("greeter.Greeter.SayHello")
        }

        test("so is one that passes a service from lambdas") {
            val c = last()
            lateinit var b: GrpcPeer
            b =
                peer {
                    serve(PROTOCOL) {
                        service("greeter.Greeter") {
                            unary(GreeterGrpc.getSayHelloMethod()) { forward(it, b.to(c)) }
                        }
                    }
                }
            val a = peer {}
            a
                .to(
                    b,
                ).unary(GreeterGrpc.getSayHelloMethod(), helloRequest { name = "Ada" })
                .message shouldBe
                "Hello, Ada, by B"
            oneTrace("greeter.Greeter.SayHello")
        }

        test("and one that passes a service in Java, built by a Java builder") {
            val c = last()
            lateinit var b: GrpcPeer
            val java =
                GrpcPeer
                    .builder()
                    .listen("/memory/0")
                    .serve(
                        PROTOCOL,
                        GrpcStream.builder().addService(ForwardingJavaGreeter { b.to(c) }),
                    ).install(PeerTelemetry.create(tracer()))
                    .build()
            peers += java
            b = java.startAndAwait()
            val a = peer {}
            GreeterGrpc
                .newBlockingStub(
                    a.to(b),
                ).sayHello(helloRequest { name = "Ada" })
                .message shouldBe
                "Hello, Ada, by B"
            oneTrace("greeter.Greeter.SayHello")
        }

        test(
            "and one that passes a generated coroutine service on a PeerServerBuilder, by its one line",
        ) {
            val c = last()
            val telemetry = PeerTelemetry.create(tracer())
            lateinit var b: GrpcPeer
            b = peer {}
            val next =
                PeerChannelBuilder
                    .forAddress(b.host(), c.addresses().first(), PROTOCOL)
                    .install(telemetry)
                    .build()
            PeerServerBuilder
                .forProtocol(b.host(), PROTOCOL)
                .addService(ForwardingGreeter { next })
                .install(telemetry)
                .build()
                .start()
            val a = peer {}
            GreeterCoroutineStub(a.to(b)).sayHello(helloRequest { name = "Ada" }).message shouldBe
                "Hello, Ada, by B"
            oneTrace("greeter.Greeter.SayHello")
        }

        test("and one that goes on from another thread, with gRPC's context alone") {
            val c = last()
            lateinit var b: GrpcPeer
            b = peer { serve(PROTOCOL) { service(HandingOverGreeter { b.to(c) }) } }
            val a = peer {}
            GreeterCoroutineStub(a.to(b)).sayHello(helloRequest { name = "Ada" }).message shouldBe
                "Hello, Ada, by B"
            oneTrace("greeter.Greeter.SayHello")
        }

        test("streams of a coroutine service carry the trace, too") {
            val c = last()
            lateinit var b: GrpcPeer
            b = peer { serve(PROTOCOL) { service(ForwardingGreeter { b.to(c) }) } }
            val a = peer {}
            val replies = mutableListOf<String>()
            GreeterCoroutineStub(a.to(b))
                .chat(flowOf(helloRequest { name = "Ada" }))
                .collect { replies += it.message }
            replies shouldContainExactlyInAnyOrder listOf("Hello, Ada, by B")
            eventually(20.seconds) { exporter.finishedSpanItems shouldHaveSize 6 }
            exporter.finishedSpanItems.map { it.traceId }.distinct() shouldHaveSize 1
        }

        test("two calls of one coroutine are two traces, and leave no span on their threads") {
            val c = last()
            val a = peer {}
            repeat(2) { GreeterCoroutineStub(a.to(c)).sayHello(helloRequest { name = "Ada" }) }
            eventually(20.seconds) { exporter.finishedSpanItems shouldHaveSize 6 }
            exporter.finishedSpanItems.map { it.traceId }.distinct() shouldHaveSize 2
            Span.current().spanContext.isValid shouldBe false
        }

        test("the span of a call is current in its coroutine, on whatever thread") {
            val seen = mutableListOf<String>()
            val b =
                peer {
                    serve(PROTOCOL) {
                        service(
                            grpcService("greeter.Greeter") {
                                unary(GreeterGrpc.getSayHelloMethod()) {
                                    seen += Span.current().spanContext.spanId
                                    withContext(Dispatchers.IO) {
                                        seen +=
                                            Span.current().spanContext.spanId
                                    }
                                    yield()
                                    seen += Span.current().spanContext.spanId
                                    helloReply {}
                                }
                            },
                        )
                    }
                }
            val a = peer {}
            a.to(b).unary(GreeterGrpc.getSayHelloMethod(), helloRequest {}, CallOptions.DEFAULT)
            eventually(20.seconds) { exporter.finishedSpanItems shouldHaveSize 3 }
            val served = exporter.finishedSpanItems.single { it.name.startsWith("Recv.") }
            seen shouldBe List(3) { served.spanId }
        }
    })

private fun SpanData.child(spans: List<SpanData>): SpanData? =
    spans.singleOrNull {
        it.parentSpanId ==
            spanId
    }

private suspend fun forward(
    request: HelloRequest,
    next: Channel,
): HelloReply {
    yield()
    val reply = withContext(Dispatchers.IO) { GreeterCoroutineStub(next).sayHello(request) }
    return helloReply { message = reply.message + ", by B" }
}

private class ForwardingGreeter(
    private val next: () -> Channel,
) : GreeterCoroutineImplBase() {
    override suspend fun sayHello(request: HelloRequest) = forward(request, next())

    override fun chat(requests: Flow<HelloRequest>): Flow<HelloReply> =
        requests.map {
            forward(it, next())
        }
}

private class JavaGreeter : GreeterGrpc.GreeterImplBase() {
    override fun sayHello(
        request: HelloRequest,
        observer: StreamObserver<HelloReply>,
    ) {
        observer.onNext(helloReply { message = "Hello, ${request.name}" })
        observer.onCompleted()
    }
}

/** Leaves the call to a thread of its own. */
private class HandingOverGreeter(
    next: () -> Channel,
) : ForwardingJavaGreeter(next) {
    override fun sayHello(
        request: HelloRequest,
        observer: StreamObserver<HelloReply>,
    ) {
        Thread(Context.current().wrap { super.sayHello(request, observer) }).start()
    }
}

private open class ForwardingJavaGreeter(
    private val next: () -> Channel,
) : GreeterGrpc.GreeterImplBase() {
    override fun sayHello(
        request: HelloRequest,
        observer: StreamObserver<HelloReply>,
    ) {
        val reply = GreeterGrpc.newBlockingStub(next()).sayHello(request)
        observer.onNext(helloReply { message = reply.message + ", by B" })
        observer.onCompleted()
    }
}
