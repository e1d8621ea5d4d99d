package io.grpcstream.samples.benchmarks

import com.google.protobuf.ByteString
import io.grpc.ServerServiceDefinition
import io.grpcstream.benchmarks.Payload
import java.util.concurrent.TimeUnit
import kotlin.time.Duration

internal fun payload(bytes: Int): Payload =
    Payload.newBuilder().setData(ByteString.copyFrom(ByteArray(bytes) { it.toByte() })).build()

/** A [load] on what [release] closes. */
internal class LoadProbe(
    private val load: Load,
    private val sample: (Window) -> Sample,
    private val release: () -> Unit,
) : Probe {
    override fun measure(window: Duration): Sample = sample(Window.of(load, window))

    override fun close() = release()
}

/** Unary calls of 32 bytes by Java's async stub, [outstanding] at once. */
internal fun unary(
    transport: Transports,
    outstanding: Int,
    channels: Int = 1,
    executors: Executors = Executors.DIRECT,
): Probe =
    probe(transport.open(LoadService().bindService(), executors), channels, Window::calls) {
        UnaryLoad(it, outstanding, payload(UNARY_BYTES))
    }

/** One streaming call by Java's async stub. */
internal fun streaming(
    transport: Transports,
    kind: Streaming,
    bytes: Int,
): Probe = streaming(kind, bytes) { transport.open(it) }

/** The same on what [open] makes of the service. */
internal fun streaming(
    kind: Streaming,
    bytes: Int,
    open: (ServerServiceDefinition) -> GrpcTransport,
): Probe {
    val service = LoadService()
    return probe(
        open(service.bindService()),
        channels = 1,
        { it.rate(Figure.MESSAGES) },
    ) { StreamingLoad(it.single(), kind, payload(bytes), service) }
}

/** What [load] does on channels of [transport]. */
internal fun probe(
    transport: GrpcTransport,
    channels: Int,
    sample: (Window) -> Sample,
    load: (List<io.grpc.ManagedChannel>) -> Load,
): Probe {
    val open = List(channels) { transport.newChannel() }
    return LoadProbe(load(open), sample) {
        open.forEach { it.shutdownNow().awaitTermination(5, TimeUnit.SECONDS) }
        transport.close()
    }
}

internal const val UNARY_BYTES = 32
