package io.grpcstream.samples.benchmarks

import io.grpc.ManagedChannel
import io.grpcstream.GrpcStream
import io.grpcstream.benchmarks.LoadGrpc
import io.grpcstream.libp2p.Connection
import io.grpcstream.libp2p.Host
import io.grpcstream.libp2p.Stream
import io.grpcstream.libp2p.transport.tcp.TcpTransport
import io.netty.buffer.ByteBuf
import io.netty.buffer.Unpooled
import io.netty.channel.ChannelHandlerContext
import io.netty.channel.ChannelInboundHandlerAdapter
import io.netty.channel.MultiThreadIoEventLoopGroup
import io.netty.channel.SimpleChannelInboundHandler
import java.time.Duration
import java.util.concurrent.CompletableFuture
import java.util.concurrent.TimeUnit

/**
 * [clients] hosts, and one that they connect to, all on the same event loops: a host holds one
 * connection with each peer, and what hosts themselves hold is not to be measured.
 */
internal class StarOfHosts(
    clients: Int,
    configure: (Host.Builder) -> Unit,
) : AutoCloseable {
    private val loops = MultiThreadIoEventLoopGroup(LOOPS, TcpTransport.ioHandlerFactory())

    val server: Host =
        Host
            .builder()
            .also(
                configure,
            ).eventLoopGroup(loops)
            .listen(HostPair.TCP)
            .build()
    val clients: List<Host> =
        List(clients) {
            Host
                .builder()
                .also(configure)
                .eventLoopGroup(loops)
                .build()
        }

    init {
        (this.clients + server).map { it.start().toCompletableFuture() }.forEach { it.join() }
    }

    fun connect(client: Host): Connection =
        client.connect(server.listenAddresses().first()).toCompletableFuture().join()

    /** Waits until nothing goes on by itself on [connection]: identify is done on both ends. */
    fun awaitIdle(
        connection: Connection,
        streams: Int,
    ) = await("an idle $connection") {
        isIdle(connection, streams) &&
            server.connections(connection.localPeer()).all { isIdle(it, streams) }
    }

    private fun isIdle(
        connection: Connection,
        streams: Int,
    ) = connection.peerInfo().isPresent &&
        connection.roundTrip().isPresent &&
        connection.streams().size == streams

    /** Ends all connections. */
    fun disconnect() {
        clients.flatMap { it.connections() }.forEach { it.close() }
        await(
            "the end of all connections",
        ) { (clients + server).all { it.connections().isEmpty() } }
    }

    override fun close() {
        (clients + server)
            .map { it.shutdown(Duration.ZERO).toCompletableFuture() }
            .forEach { it.join() }
        loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly()
    }

    private companion object {
        const val LOOPS = 2
    }
}

/** Connections, each from a host of its own, and on each a raw stream that has echoed a message. */
internal class IdleConnections(
    private val hosts: StarOfHosts,
) : Idlers {
    private val next = generateSequence { hosts.clients }.flatten().iterator()

    init {
        hosts.server.handle(ECHO) { it.channel().pipeline().addLast(Echo()) }
    }

    override fun open() {
        val connection = hosts.connect(next.next())
        echo(connection.newStream(ECHO).toCompletableFuture().join())
        hosts.awaitIdle(connection, 1)
    }

    override fun closeAll() = hosts.disconnect()

    override fun close() = hosts.close()
}

/** Raw streams that have echoed a message, all on one connection, which is there before them. */
internal class IdleStreams(
    private val hosts: StarOfHosts,
) : Idlers {
    private val connection: Connection

    init {
        hosts.server.handle(ECHO) { it.channel().pipeline().addLast(Echo()) }
        connection = hosts.connect(hosts.clients.single())
        hosts.awaitIdle(connection, 0)
    }

    override fun open() = echo(connection.newStream(ECHO).toCompletableFuture().join())

    override fun closeAll() {
        connection.streams().forEach { it.close() }
        hosts.awaitIdle(connection, 0)
    }

    override fun close() = hosts.close()
}

/** Connections, each from a host of its own, and on each a gRPC channel that has made a call. */
internal class IdleGrpcStreams(
    private val hosts: StarOfHosts,
    service: LoadService,
) : Idlers {
    private val next = generateSequence { hosts.clients }.flatten().iterator()
    private val grpc =
        GrpcStream
            .builder()
            .addService(service)
            .directExecutor()
            .build()
            .serve()
    private val channels = IdleChannels()

    init {
        hosts.server.handle(GRPC, grpc.handler())
    }

    override fun open() {
        val connection = hosts.connect(next.next())
        val stream = connection.newStream(GRPC).toCompletableFuture().join()
        channels.add(GrpcStream.wrapClientBuilder(stream).directExecutor().build())
        hosts.awaitIdle(connection, 1)
    }

    override fun closeAll() {
        channels.closeAll()
        hosts.disconnect()
    }

    override fun close() {
        grpc.close()
        hosts.close()
    }

    private companion object {
        const val GRPC = "/load/1.0.0"
    }
}

/** Channels of another transport, each with a connection of its own, that have made a call. */
internal class IdleGrpcChannels(
    private val transport: GrpcTransport,
) : Idlers {
    private val channels = IdleChannels()

    override fun open() = channels.add(transport.newChannel())

    override fun closeAll() = channels.closeAll()

    override fun close() = transport.close()
}

private class IdleChannels {
    private val open = mutableListOf<ManagedChannel>()

    /** Makes a call. */
    fun add(channel: ManagedChannel) {
        open += channel
        LoadGrpc.newBlockingStub(channel).unary(payload(MESSAGE))
    }

    fun closeAll() {
        open.forEach { it.shutdown() }
        open.forEach { check(it.awaitTermination(5, TimeUnit.SECONDS)) { "$it does not end" } }
        open.clear()
    }
}

private const val ECHO = "/echo/1.0.0"
private const val MESSAGE = 32

private class Echo : ChannelInboundHandlerAdapter() {
    override fun channelRead(
        context: ChannelHandlerContext,
        message: Any,
    ) {
        context.writeAndFlush(message)
    }
}

/** Sends a message and waits until all of it is back. */
private fun echo(stream: Stream) {
    val returned = CompletableFuture<Unit>()
    stream.channel().pipeline().addLast(
        object : SimpleChannelInboundHandler<ByteBuf>() {
            private var left = MESSAGE

            override fun channelRead0(
                context: ChannelHandlerContext,
                message: ByteBuf,
            ) {
                left -= message.readableBytes()
                if (left == 0) {
                    context.pipeline().remove(this)
                    returned.complete(Unit)
                }
            }
        },
    )
    stream.channel().writeAndFlush(Unpooled.wrappedBuffer(ByteArray(MESSAGE)))
    returned.get(5, TimeUnit.SECONDS)
}
