package io.grpcstream.samples.shop.tracing

import io.opentelemetry.api.trace.Span
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator
import io.opentelemetry.context.Context
import io.opentelemetry.context.Scope
import io.opentelemetry.context.propagation.TextMapGetter
import io.opentelemetry.context.propagation.TextMapSetter
import kotlinx.coroutines.ThreadContextElement
import kotlinx.coroutines.withContext
import kotlin.coroutines.AbstractCoroutineContextElement
import kotlin.coroutines.CoroutineContext

private const val TRACEPARENT = "traceparent"

/** Where we are in a trace, as a `traceparent` of W3C; null if we are in none. */
fun currentTrace(): String? {
    val carrier = mutableMapOf<String, String>()
    W3CTraceContextPropagator.getInstance().inject(Context.current(), carrier, Setter)
    return carrier[TRACEPARENT]
}

/** Runs [block], whose calls are part of that [trace], a `traceparent` of W3C; null is no trace. */
suspend fun <T> inTrace(
    trace: String?,
    block: suspend () -> T,
): T {
    if (trace == null) return block()
    val carrier = mapOf(TRACEPARENT to trace)
    val context = W3CTraceContextPropagator.getInstance().extract(Context.root(), carrier, Getter)
    return withContext(TraceElement(context)) { block() }
}

/** Runs [block], whose calls are children of this span, and ends it. */
suspend fun <T> Span.around(block: suspend (Span) -> T): T =
    try {
        withContext(TraceElement(Context.current().with(this))) { block(this@around) }
    } finally {
        end()
    }

/** Makes [trace] current on each thread that runs the coroutine, for as long as it does. */
private class TraceElement(
    private val trace: Context,
) : AbstractCoroutineContextElement(TraceElement),
    ThreadContextElement<Scope> {
    override fun updateThreadContext(context: CoroutineContext): Scope = trace.makeCurrent()

    override fun restoreThreadContext(
        context: CoroutineContext,
        oldState: Scope,
    ) = oldState.close()

    companion object Key : CoroutineContext.Key<TraceElement>
}

private object Setter : TextMapSetter<MutableMap<String, String>> {
    override fun set(
        carrier: MutableMap<String, String>?,
        key: String,
        value: String,
    ) {
        carrier?.put(key, value)
    }
}

private object Getter : TextMapGetter<Map<String, String>> {
    override fun keys(carrier: Map<String, String>): Iterable<String> = carrier.keys

    override fun get(
        carrier: Map<String, String>?,
        key: String,
    ): String? = carrier?.get(key)
}
