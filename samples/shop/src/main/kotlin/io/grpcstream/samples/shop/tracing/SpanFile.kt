package io.grpcstream.samples.shop.tracing

import io.opentelemetry.sdk.common.CompletableResultCode
import io.opentelemetry.sdk.trace.data.SpanData
import io.opentelemetry.sdk.trace.export.SpanExporter
import java.io.IOException
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.StandardOpenOption.APPEND
import java.nio.file.StandardOpenOption.CREATE

/**
 * Appends spans to a [file], one a line, to be read by [TraceTree]: what is there after the process was
 * killed. Somewhere else, an exporter of OpenTelemetry's takes its place.
 */
internal class SpanFile(
    private val file: Path,
) : SpanExporter {
    @Synchronized
    override fun export(spans: Collection<SpanData>): CompletableResultCode =
        try {
            Files.write(file, spans.map { it.toLine() }, CREATE, APPEND)
            CompletableResultCode.ofSuccess()
        } catch (e: IOException) {
            CompletableResultCode.ofExceptionalFailure(e)
        }

    override fun flush(): CompletableResultCode = CompletableResultCode.ofSuccess()

    override fun shutdown(): CompletableResultCode = CompletableResultCode.ofSuccess()

    private fun SpanData.toLine() =
        RecordedSpan(
            trace = traceId,
            id = spanId,
            parent = parentSpanId,
            peer = resource.getAttribute(PEER).orEmpty(),
            name = name,
            startNanos = startEpochNanos,
            nanos = endEpochNanos - startEpochNanos,
            deadlineMillis = attributes.get(DEADLINE),
            failure = status.description.takeIf { status.statusCode.name == "ERROR" },
        ).toLine()
}
