package io.grpcstream.samples.benchmarks

import com.google.protobuf.ByteString
import io.grpc.ManagedChannel
import io.grpcstream.benchmarks.Payload
import java.util.concurrent.TimeUnit
import kotlin.time.Duration

internal fun payload(bytes: Int): Payload =
    Payload.newBuilder().setData(ByteString.copyFrom(ByteArray(bytes) { it.toByte() })).build()

/** Loads a transport; all of it is this probe's to close. */
internal class LoadProbe(
    private val load: Load,
    private val sample: (Window) -> Sample,
    private val release: () -> Unit,
) : Probe {
    override fun measure(window: Duration): Sample = sample(Window.of(load, window))

    override fun close() = release()
}

internal fun closing(
    channels: List<ManagedChannel>,
    transport: GrpcTransport,
): () -> Unit =
    {
        channels.forEach { it.shutdownNow().awaitTermination(5, TimeUnit.SECONDS) }
        transport.close()
    }

/** Unary calls of 32 bytes. */
internal fun unary(
    transport: GrpcTransport,
    outstanding: Int,
    channels: Int = 1,
): Probe {
    val open = List(channels) { transport.newChannel() }
    return LoadProbe(UnaryLoad(open, outstanding, payload(32)), Window::calls, closing(open, transport))
}

/** One streaming call. */
internal fun streaming(
    transport: (LoadService) -> GrpcTransport,
    kind: Streaming,
    bytes: Int,
): Probe {
    val service = LoadService()
    val open = transport(service)
    val channel = open.newChannel()
    return LoadProbe(
        StreamingLoad(channel, kind, payload(bytes), service),
        { it.rate(Figure.MESSAGES) },
        closing(listOf(channel), open),
    )
}
