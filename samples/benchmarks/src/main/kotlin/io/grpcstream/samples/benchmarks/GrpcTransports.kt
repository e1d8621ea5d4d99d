package io.grpcstream.samples.benchmarks

import io.grpc.ChannelCredentials
import io.grpc.ManagedChannel
import io.grpc.ManagedChannelBuilder
import io.grpc.Server
import io.grpc.ServerBuilder
import io.grpc.ServerCredentials
import io.grpc.ServerServiceDefinition
import io.grpc.inprocess.InProcessChannelBuilder
import io.grpc.inprocess.InProcessServerBuilder
import io.grpc.netty.NettyChannelBuilder
import io.grpc.netty.NettyServerBuilder
import io.grpcstream.GrpcStream
import io.grpcstream.PeerChannelBuilder
import java.net.InetSocketAddress
import java.util.concurrent.TimeUnit

/** A server, and clients that reach it. */
internal interface GrpcTransport : AutoCloseable {
    /** A channel that is ready for calls, and the caller's to shut down. */
    fun newChannel(): ManagedChannel
}

/** How both ends of a transport run their callbacks. */
internal enum class Executors {
    /** On the event loop. */
    DIRECT,

    /** On the pool that grpc-java takes by default. */
    DEFAULT,
    ;

    fun apply(builder: ServerBuilder<*>) {
        if (this == DIRECT) builder.directExecutor()
    }

    fun apply(builder: ManagedChannelBuilder<*>) {
        if (this == DIRECT) builder.directExecutor()
    }
}

/**
 * grpc-netty as everyone knows it.
 *
 * @param link what stands between client and server, if anything does
 */
internal class NettyTransport(
    service: ServerServiceDefinition,
    private val executors: Executors,
    serverCredentials: ServerCredentials,
    private val channelCredentials: ChannelCredentials,
    link: DelayedLink? = null,
) : GrpcTransport {
    private val server: Server =
        NettyServerBuilder
            .forAddress(InetSocketAddress("127.0.0.1", 0), serverCredentials)
            .addService(service)
            .also(executors::apply)
            .build()
            .start()

    private val port = link?.to(server.port) ?: server.port

    override fun newChannel(): ManagedChannel =
        NettyChannelBuilder
            .forAddress(InetSocketAddress("127.0.0.1", port), channelCredentials)
            .overrideAuthority("localhost")
            .also { executors.apply(it) }
            .build()

    override fun close() {
        server.shutdownNow().awaitTermination(5, TimeUnit.SECONDS)
    }
}

/** grpc-java's transport between a client and a server in one process. */
internal class InProcessTransport(
    service: ServerServiceDefinition,
    private val executors: Executors,
) : GrpcTransport {
    private val name = InProcessServerBuilder.generateName()
    private val server: Server =
        InProcessServerBuilder
            .forName(name)
            .addService(service)
            .also(executors::apply)
            .build()
            .start()

    override fun newChannel(): ManagedChannel =
        InProcessChannelBuilder
            .forName(name)
            .also { executors.apply(it) }
            .build()

    override fun close() {
        server.shutdownNow().awaitTermination(5, TimeUnit.SECONDS)
    }
}

/**
 * GrpcStream between two hosts. Each channel is a stream of its own on one connection.
 *
 * @param managed whether channels are to the peer, in place of one over a stream
 */
internal class StreamTransport(
    private val hosts: HostPair,
    private val grpc: GrpcStream,
    private val executors: Executors,
    private val managed: Boolean = false,
) : GrpcTransport {
    constructor(hosts: HostPair, service: ServerServiceDefinition, executors: Executors) :
        this(hosts, grpcStreamOf(service, executors), executors)

    init {
        hosts.server.handle(PROTOCOL, grpc.serve().handler())
    }

    override fun newChannel(): ManagedChannel {
        val builder =
            if (managed) {
                PeerChannelBuilder.forAddress(hosts.client, hosts.address, PROTOCOL)
            } else {
                GrpcStream.wrapClientBuilder(hosts.newStream(PROTOCOL))
            }
        return builder.also { executors.apply(it) }.build()
    }

    override fun close() {
        grpc.close()
        hosts.close()
    }

    private companion object {
        const val PROTOCOL = "/load/1.0.0"
    }
}

/** A GrpcStream for [service], not yet serving. */
internal fun grpcStreamOf(
    service: ServerServiceDefinition,
    executors: Executors,
): GrpcStream =
    GrpcStream
        .builder()
        .addService(service)
        .also { if (executors == Executors.DIRECT) it.directExecutor() }
        .build()
