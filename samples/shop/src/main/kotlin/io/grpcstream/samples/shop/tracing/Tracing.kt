package io.grpcstream.samples.shop.tracing

import io.grpc.Context
import io.grpc.Metadata
import io.grpc.ServerCall
import io.grpc.ServerCallHandler
import io.grpc.ServerInterceptor
import io.opentelemetry.api.OpenTelemetry
import io.opentelemetry.api.common.AttributeKey
import io.opentelemetry.api.common.Attributes
import io.opentelemetry.api.trace.Span
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator
import io.opentelemetry.context.propagation.ContextPropagators
import io.opentelemetry.sdk.OpenTelemetrySdk
import io.opentelemetry.sdk.resources.Resource
import io.opentelemetry.sdk.trace.SdkTracerProvider
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor
import java.nio.file.Path
import java.util.concurrent.TimeUnit.MILLISECONDS

internal val PEER: AttributeKey<String> = AttributeKey.stringKey("service.name")
internal val DEADLINE: AttributeKey<Long> = AttributeKey.longKey("shop.deadline_left_ms")

/** Traces of the peer called [name], kept in [folder], or nowhere if that is null. */
fun tracing(
    name: String,
    folder: Path?,
): OpenTelemetry {
    if (folder == null) return OpenTelemetry.noop()
    val spans =
        SdkTracerProvider
            .builder()
            .setResource(Resource.create(Attributes.of(PEER, name)))
            // Each span at once, and not some at a time: the process may be killed.
            .addSpanProcessor(SimpleSpanProcessor.create(SpanFile(folder.resolve("$name.spans"))))
            .build()
    return OpenTelemetrySdk
        .builder()
        .setTracerProvider(spans)
        .setPropagators(ContextPropagators.create(W3CTraceContextPropagator.getInstance()))
        .build()
}

/** Notes in the trace of each call how much of its deadline was left when it came. */
internal object DeadlineNotes : ServerInterceptor {
    override fun <Q, R> interceptCall(
        call: ServerCall<Q, R>,
        headers: Metadata,
        next: ServerCallHandler<Q, R>,
    ): ServerCall.Listener<Q> {
        Context.current().deadline?.let {
            Span.current().setAttribute(DEADLINE, it.timeRemaining(MILLISECONDS))
        }
        return next.startCall(call, headers)
    }
}
