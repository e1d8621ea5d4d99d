package io.grpcstream.samples.benchmarks

import io.grpc.ManagedChannel
import io.grpc.ServerServiceDefinition
import io.grpcstream.GrpcStream
import io.grpcstream.benchmarks.LoadGrpc
import io.netty.handler.ssl.SslProvider
import java.util.concurrent.TimeUnit
import kotlin.concurrent.thread

/**
 * Connections set up one after the other, with one unary call of 32 bytes on each: what a caller
 * waits for, and what it costs both ends.
 */
internal fun connectionsMeasure(go: Go?): Measure =
    Measure(
        "connections",
        listOf(Variant(NETTY_TLS) { connections(NewChannels()) }) +
            OURS.map { (name, security) ->
                Variant(name) { connections(NewConnections(security)) }
            } +
            goVariants(go) { it.probe("connections", Figure.CONNECTIONS) },
        OURS.keys.flatMap { name ->
            listOf(
                Comparison(Figure.CONNECTIONS, name, NETTY_TLS),
                Comparison(Figure.CPU, name, NETTY_TLS),
                Comparison(
                    Figure.CONNECTIONS,
                    name,
                    "go-$name",
                    atLeast = 0.8.takeIf { name == "noise" },
                ),
            )
        } + versus(Figure.CONNECTIONS, "tls", to = "noise"),
        inShort = true,
        // The code of a handshake runs seldom, and is compiled late.
        effort = { Effort(2 * it.warmUps, it.rounds, it.window) },
    )

private val OURS = mapOf("noise" to HostPair.NOISE, "tls" to HostPair.TLS)

private const val NETTY_TLS = "grpc-netty-tls"

private fun connections(connector: Connector): Probe {
    val load = ConnectionLoad(connector)
    return LoadProbe(
        load,
        { it.calls() - Figure.CALLS + (Figure.CONNECTIONS to it.perSecond) },
        connector::close,
    )
}

/** Something to connect to, again and again. */
internal interface Connector : AutoCloseable {
    /** Connects, runs [call], and returns when the connection is closed. */
    fun connect(call: (ManagedChannel) -> Unit)
}

/** Each time a connection between two hosts, and a stream on it. */
private class NewConnections(
    security: String,
) : Connector {
    private val hosts = HostPair(HostPair.TCP, security)
    private val grpc: GrpcStream =
        GrpcStream
            .builder()
            .addService(LoadService())
            .directExecutor()
            .build()
            .serve()

    init {
        hosts.server.handle(PROTOCOL, grpc.handler())
    }

    override fun connect(call: (ManagedChannel) -> Unit) {
        val connection =
            hosts.client
                .connect(hosts.address)
                .toCompletableFuture()
                .join()
        val stream = connection.newStream(PROTOCOL).toCompletableFuture().join()
        val channel = GrpcStream.wrapClientBuilder(stream).directExecutor().build()
        call(channel)
        channel.shutdownNow()
        connection.close()
        connection.closed().toCompletableFuture().join()
    }

    override fun close() {
        grpc.close()
        hosts.close()
    }

    private companion object {
        const val PROTOCOL = "/load/1.0.0"
    }
}

/** Each time a channel of grpc-netty, and with it a full handshake. */
private class NewChannels : Connector {
    private val service: ServerServiceDefinition = LoadService().bindService()
    private val credentials = TlsCredentials(SslProvider.OPENSSL)
    private val transport =
        NettyTransport(service, Executors.DIRECT, credentials.server, credentials.client)

    override fun connect(call: (ManagedChannel) -> Unit) {
        val channel = transport.newChannel()
        call(channel)
        check(channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS)) { "$channel stays" }
    }

    override fun close() = transport.close()
}

/** One connection at a time. */
internal class ConnectionLoad(
    private val connector: Connector,
) : Load {
    private val message = payload(32)

    @Volatile
    private var failure: Throwable? = null

    @Volatile
    private var stopping = false

    private var worker: Thread? = null

    fun connect() = connector.connect { LoadGrpc.newBlockingStub(it).unary(message) }

    override fun start(meter: Meter) {
        stopping = false
        worker = thread(name = "connections") { run(meter) }
    }

    private fun run(meter: Meter) {
        try {
            while (!stopping) {
                val start = System.nanoTime()
                connect()
                meter.doneSince(start)
            }
        } catch (e: Exception) {
            failure = e
        }
    }

    override fun stop() {
        stopping = true
        worker?.join(PATIENCE_MILLIS)
        check(worker?.isAlive != true) { "a connection or its call does not end" }
        failure?.let { throw IllegalStateException("a connection failed", it) }
    }

    private companion object {
        /** What takes longer never ends. */
        const val PATIENCE_MILLIS = 30_000L
    }
}
