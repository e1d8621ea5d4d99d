package io.grpcstream.samples.guide

import io.grpc.Status.Code
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineStub
import io.grpcstream.kotlin.shutdownAndAwait
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldContainAll
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator
import io.opentelemetry.context.propagation.ContextPropagators
import io.opentelemetry.sdk.OpenTelemetrySdk
import io.opentelemetry.sdk.metrics.SdkMeterProvider
import io.opentelemetry.sdk.testing.exporter.InMemoryMetricReader
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter
import io.opentelemetry.sdk.trace.SdkTracerProvider
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor
import java.util.concurrent.ConcurrentLinkedQueue
import kotlin.time.Duration.Companion.seconds

class GuideObservingSpec :
    StringSpec({
        timeout = 120_000

        "one line gives traces and metrics, in Kotlin and in Java" {
            val spans = InMemorySpanExporter.create()
            val metrics = InMemoryMetricReader.create()
            val openTelemetry =
                OpenTelemetrySdk
                    .builder()
                    .setPropagators(
                        ContextPropagators.create(W3CTraceContextPropagator.getInstance()),
                    ).setTracerProvider(
                        SdkTracerProvider
                            .builder()
                            .addSpanProcessor(SimpleSpanProcessor.create(spans))
                            .build(),
                    ).setMeterProvider(
                        SdkMeterProvider.builder().registerMetricReader(metrics).build(),
                    ).build()
            guidePeers {
                val inKotlin = start(observedPeer(openTelemetry))
                val inJava = start(Observing.observedPeer(openTelemetry, Services.Greeter()))
                inKotlin.greeterAt(inJava).sayHello(hello("Ada"))
                inJava.greeterAt(inKotlin).sayHello(hello("Ada"))
                eventually(60.seconds) {
                    val finished = spans.finishedSpanItems
                    finished.map { it.name }.toSet().shouldContainAll(
                        "Sent.greeter.Greeter.SayHello",
                        "Recv.greeter.Greeter.SayHello",
                    )
                    finished.count { it.name.startsWith("Recv.") } shouldBe 2
                    finished.map { it.traceId }.toSet().size shouldBe 2
                }
                metrics
                    .collectAllMetrics()
                    .map { it.name }
                    .shouldContainAll(
                        "libp2p.connection.count",
                        "libp2p.dial.duration",
                        "libp2p.io",
                    )
            }
        }

        "an observer is told what the host does, and bytes are counted" {
            guidePeers {
                val told = ConcurrentLinkedQueue<String>()
                val observed = start(countedPeer { told += it })
                val other = calling()
                other.greeterAt(observed).sayHello(hello("Ada"))
                val third = peer { }
                observed.channel(third.target).getState(true)
                eventually(60.seconds) {
                    told.toSet().shouldContainAll("dialled", "round trip")
                    told.any { it.startsWith("connected by /") } shouldBe true
                }
                val gone = third.target
                third.shutdownAndAwait()
                val greeter = GreeterCoroutineStub(observed.channel(gone))
                eventually(60.seconds) {
                    statusOf { greeter.sayHello(hello("Ada")) }.code shouldBe Code.UNAVAILABLE
                    told.toSet().shouldContainAll("not reached")
                    inOneLine(observed.host()) shouldContain "connections in 1, out 0, streams in "
                }
                observed.host().stats().bytesSent() shouldBeGreaterThan 0
            }
        }
    })
