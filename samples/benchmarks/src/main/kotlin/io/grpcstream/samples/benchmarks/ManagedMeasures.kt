package io.grpcstream.samples.benchmarks

import io.grpc.ManagedChannel
import io.grpcstream.GrpcStream
import io.grpcstream.PeerChannelBuilder
import io.grpcstream.samples.benchmarks.Figure.CALLS
import io.grpcstream.samples.benchmarks.Figure.CPU
import io.grpcstream.samples.benchmarks.Figure.P50

/**
 * What a channel to a peer costs beside a channel over one stream: in its calls, until its first call
 * is answered, and until it is answered again after its connection was cut. Over TLS.
 */
internal fun managedMeasures(): List<Measure> =
    listOf(
        Measure(
            "managed-128",
            variants { probe(transport(managed = it), 1, Window::calls, ::calls128) },
            listOf(
                Comparison(CALLS, PEER, STREAM, atLeast = 0.97),
                Comparison(P50, PEER, STREAM, atMost = 1.03),
                Comparison(CPU, PEER, STREAM),
            ),
            inShort = true,
        ),
        Measure(
            "managed-first-call",
            variants { once(NewChannelsOnOneConnection(managed = it)) },
            listOf(Comparison(P50, PEER, STREAM)),
            inShort = true,
        ),
        Measure(
            "managed-return",
            variants { once(CutConnections(managed = it)) },
            listOf(Comparison(P50, PEER, STREAM)),
            effort = { Effort(2 * it.warmUps, it.rounds, it.window) },
        ),
    )

private const val STREAM = "stream"
private const val PEER = "peer"

private fun variants(open: (managed: Boolean) -> Probe) =
    listOf(STREAM, PEER).map { Variant(it) { open(it == PEER) } }

private fun transport(managed: Boolean): GrpcTransport =
    StreamTransport(
        HostPair(HostPair.TCP, HostPair.TLS),
        grpcStreamOf(LoadService().bindService(), Executors.DIRECT),
        Executors.DIRECT,
        managed,
    )

private fun calls128(channels: List<ManagedChannel>) =
    UnaryLoad(channels, outstanding = 128, payload(UNARY_BYTES))

private fun once(connector: Connector): Probe =
    LoadProbe(ConnectionLoad(connector), Window::calls, connector::close)

/** Each time a channel, its first call, and its end; the connection stays. */
private class NewChannelsOnOneConnection(
    managed: Boolean,
) : Connector {
    private val transport = transport(managed)

    override fun connect(call: (ManagedChannel) -> Unit) {
        val channel = transport.newChannel()
        call(channel)
        channel.shutdownNow()
    }

    override fun close() = transport.close()
}

/**
 * Each time the connection is cut, and a call made as soon as the caller knows of it: on the same
 * channel, or on one that is made for it as users do who have but streams.
 */
private class CutConnections(
    private val managed: Boolean,
) : Connector {
    private val hosts = HostPair(HostPair.TCP, HostPair.TLS)
    private val grpc: GrpcStream =
        grpcStreamOf(LoadService().bindService(), Executors.DIRECT).serve()
    private val channel: ManagedChannel

    init {
        hosts.server.handle(PROTOCOL, grpc.handler())
        channel =
            PeerChannelBuilder
                .forAddress(hosts.client, hosts.address, PROTOCOL)
                .directExecutor()
                .build()
    }

    override fun connect(call: (ManagedChannel) -> Unit) {
        hosts.client.connections().forEach {
            it.close()
            it.closed().toCompletableFuture().join()
        }
        if (managed) {
            call(channel)
        } else {
            val stream = hosts.newStream(PROTOCOL)
            call(GrpcStream.wrapClientBuilder(stream).directExecutor().build())
        }
    }

    override fun close() {
        channel.shutdownNow()
        grpc.close()
        hosts.close()
    }

    private companion object {
        const val PROTOCOL = "/load/1.0.0"
    }
}
