package io.grpcstream.samples.benchmarks

import io.grpc.ManagedChannel
import io.grpc.Server
import io.grpc.ServerServiceDefinition
import io.grpc.netty.NettyChannelBuilder
import io.grpc.netty.NettyServerBuilder
import io.grpcstream.PeerChannelBuilder
import io.grpcstream.samples.benchmarks.Figure.CALLS
import io.grpcstream.samples.benchmarks.Figure.CPU
import io.grpcstream.samples.benchmarks.Figure.MESSAGES
import io.grpcstream.samples.benchmarks.Figure.P50
import io.grpcstream.samples.peercurl.doors.ExposeDoor
import io.grpcstream.samples.peercurl.doors.ForwardDoor
import io.grpcstream.samples.peercurl.doors.TcpTarget
import io.grpcstream.samples.peercurl.doors.doorLoops
import kotlinx.coroutines.runBlocking
import java.net.InetSocketAddress
import java.util.concurrent.TimeUnit
import kotlin.time.Duration

private const val LARGE = 64 * 1024
private const val DIRECT = "direct"
private const val FORWARD = "forward"
private const val EXPOSE = "expose"
private const val TCP = "grpc-netty"

/**
 * What peercurl's doors cost beside a channel to the peer itself, over TLS, and beside bare TCP.
 */
internal fun doorMeasures(): List<Measure> =
    listOf(
        Measure(
            "doors-unary-128",
            doorVariants { open ->
                probe(open(LoadService().bindService()), 1, Window::calls) {
                    UnaryLoad(it, outstanding = 128, payload(UNARY_BYTES))
                }
            },
            comparisons(CALLS) + comparisons(P50),
        ),
        Measure(
            "doors-download-65536",
            doorVariants { open -> streaming(Streaming.DOWNLOAD, LARGE, open) },
            comparisons(MESSAGES),
            effort = { Effort(2 * it.warmUps, it.rounds, it.window) },
        ),
    )

private fun comparisons(figure: Figure) =
    versus(figure, FORWARD, EXPOSE, to = DIRECT) + Comparison(figure, FORWARD, TCP) +
        Comparison(figure, DIRECT, TCP) +
        (if (figure == P50) emptyList() else listOf(Comparison(CPU, FORWARD, DIRECT)))

private fun doorVariants(
    probe: ((ServerServiceDefinition) -> GrpcTransport) -> Probe,
): List<Variant> =
    listOf(
        Variant(DIRECT) {
            probe {
                val hosts = HostPair(HostPair.TCP, HostPair.TLS, loops = doorLoops())
                StreamTransport(
                    hosts,
                    grpcStreamOf(it, Executors.DIRECT),
                    Executors.DIRECT,
                    managed = true,
                )
            }
        },
        Variant(FORWARD) { probe(::ForwardTransport) },
        Variant(EXPOSE) { probe(::ExposeTransport) },
        Variant(TCP) { probe { Transports.NETTY.open(it) } },
    )

/** grpc-netty's channel to a port that leads to a peer. */
private class ForwardTransport(
    service: ServerServiceDefinition,
) : GrpcTransport {
    private val loops = doorLoops()
    private val hosts = HostPair(HostPair.TCP, HostPair.TLS, loops = loops)
    private val grpc = grpcStreamOf(service, Executors.DIRECT)
    private val door =
        ForwardDoor(loops, "the peer") { hosts.client.newStream(hosts.address, PROTOCOL) }
    private val address: InetSocketAddress

    init {
        hosts.server.handle(PROTOCOL, grpc.serve().handler())
        address = runBlocking { door.start(InetSocketAddress("127.0.0.1", 0)) }
    }

    override fun newChannel(): ManagedChannel =
        NettyChannelBuilder
            .forAddress(address)
            .usePlaintext()
            .directExecutor()
            .build()

    override fun close() {
        runBlocking { door.shutdown(Duration.ZERO) }
        grpc.close()
        hosts.close()
    }
}

/** A channel to a peer behind which grpc-netty serves. */
private class ExposeTransport(
    service: ServerServiceDefinition,
) : GrpcTransport {
    private val server: Server =
        NettyServerBuilder
            .forAddress(InetSocketAddress("127.0.0.1", 0))
            .addService(service)
            .directExecutor()
            .build()
            .start()
    private val hosts = HostPair(HostPair.TCP, HostPair.TLS, loops = doorLoops())

    init {
        hosts.server.handle(PROTOCOL, ExposeDoor(TcpTarget("127.0.0.1", server.port)))
    }

    override fun newChannel(): ManagedChannel =
        PeerChannelBuilder
            .forAddress(hosts.client, hosts.address, PROTOCOL)
            .directExecutor()
            .build()

    override fun close() {
        hosts.close()
        server.shutdownNow().awaitTermination(5, TimeUnit.SECONDS)
    }
}

private const val PROTOCOL = "/load/1.0.0"
