package io.grpcstream.samples.peercurl.doors

import io.grpc.Status
import io.grpcstream.GrpcStream
import io.grpcstream.libp2p.Stream
import io.netty.channel.ChannelHandlerContext
import io.netty.channel.ChannelInboundHandlerAdapter
import io.netty.channel.ChannelOption
import io.netty.channel.EventLoop
import io.netty.channel.EventLoopGroup
import io.netty.channel.ServerChannel
import io.netty.channel.socket.SocketChannel
import java.net.InetSocketAddress
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionStage
import java.util.concurrent.TimeUnit
import kotlin.time.Duration

/**
 * A local door to a peer: each TCP connection to it gets a stream of its own, and what it sends
 * passes through as it is. So any gRPC client that speaks HTTP/2 in plaintext calls the peer.
 *
 * A socket runs on the event loop of its stream: it is accepted on one of [loops], and registered
 * where its stream is, once there is one; until then nothing of it is read. Where no stream is to
 * be had, calls are answered with the status that says why.
 *
 * @param loops those of the host whose streams [open] opens: see [doorLoops]
 * @param peerName the peer in texts for callers
 * @param maxConnections at a time; others are answered `RESOURCE_EXHAUSTED`
 * @param showCalls whether [tell] hears of calls, for which their headers are read as they pass
 * @param open opens a stream; its failure is what callers are told
 * @param tell hears what happens, on event loops: it must not block
 */
public class ForwardDoor(
    private val loops: EventLoopGroup,
    private val peerName: String,
    maxConnections: Int = DEFAULT_MAX_CONNECTIONS,
    showCalls: Boolean = false,
    private val tell: (DoorEvent) -> Unit = {},
    private val open: () -> CompletionStage<Stream>,
) {
    private val passing = Passing(maxConnections, showCalls, tell)
    private var socket: ServerChannel? = null

    /**
     * Listens on [address], port 0 for any free one.
     *
     * @return where it listens
     * @throws java.io.IOException if it cannot
     */
    public suspend fun start(address: InetSocketAddress): InetSocketAddress {
        val loop = loops.next()
        val server = Sockets.of(loop).newServerChannel()
        server.config().setOption(ChannelOption.SO_REUSEADDR, true)
        server.pipeline().addLast(Acceptor(loop))
        loop.register(server).awaitDone()
        try {
            server.bind(address).awaitDone()
        } catch (e: Throwable) {
            server.close()
            throw e
        }
        socket = server
        return server.localAddress() as InetSocketAddress
    }

    /** Takes nobody in, lets calls in flight have [grace] to end, and cuts what is left then. */
    public suspend fun shutdown(grace: Duration) {
        socket?.close()?.awaitDone()
        passing.shutdown(CLOSING, grace)
    }

    private inner class Acceptor(
        private val loop: EventLoop,
    ) : ChannelInboundHandlerAdapter() {
        override fun channelRead(
            context: ChannelHandlerContext,
            message: Any,
        ) = accept(message as SocketChannel, loop)

        /** Such as too many open files: there may be fewer in a moment. */
        override fun exceptionCaught(
            context: ChannelHandlerContext,
            cause: Throwable,
        ) {
            tell(DoorEvent.Warned("a connection could not be accepted: ${cause.message}"))
            val config = context.channel().config()
            config.isAutoRead = false
            context.executor().schedule({ config.isAutoRead = true }, 1, TimeUnit.SECONDS)
        }
    }

    private fun accept(
        socket: SocketChannel,
        loop: EventLoop,
    ) {
        val from =
            socket.remoteAddress()?.let { "${it.hostString}:${it.port}" }
                ?: "a client that has left"
        socket.config().setTcpNoDelay(true).isKeepAlive = true
        val caller = SpliceEnd.of(socket).prepare()
        val place = passing.enter(from)
        if (place == null) {
            return refuse(caller, loop, from, passing.full())
        }
        opened().whenComplete { stream, failure ->
            if (failure != null) {
                place.leave()
                refuse(caller, loop, from, GrpcStream.statusOf(failure))
            } else {
                join(place, caller, stream)
            }
        }
    }

    /** What throws has failed, too. */
    private fun opened(): CompletionStage<Stream> =
        try {
            open()
        } catch (e: RuntimeException) {
            CompletableFuture.failedFuture(e)
        }

    private fun join(
        place: Passing.Place,
        caller: SpliceEnd,
        stream: Stream,
    ) {
        val server = SpliceEnd.of(stream)
        stream.channel().eventLoop().register(caller.channel).addListener { registered ->
            if (registered.isSuccess) {
                place.splice(caller, server.prepare(), peerName, null)
            } else {
                place.leave()
                caller.reset()
                stream.reset()
            }
        }
    }

    private fun refuse(
        caller: SpliceEnd,
        loop: EventLoop,
        from: String,
        status: Status,
    ) {
        loop.register(caller.channel).addListener { registered ->
            if (registered.isSuccess) passing.refuse(caller, from, status) else caller.reset()
        }
    }

    public companion object {
        /**
         * As many streams as a host opens to one peer for one protocol, unless it has much memory.
         */
        public const val DEFAULT_MAX_CONNECTIONS: Int = 128

        private const val CLOSING = "this door to a peer is being closed"
    }
}
