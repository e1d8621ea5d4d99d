package io.grpcstream.samples.benchmarks

import io.grpcstream.libp2p.Multiaddr
import io.netty.bootstrap.Bootstrap
import io.netty.bootstrap.ServerBootstrap
import io.netty.buffer.ByteBuf
import io.netty.buffer.Unpooled
import io.netty.channel.AdaptiveRecvByteBufAllocator
import io.netty.channel.Channel
import io.netty.channel.ChannelFutureListener
import io.netty.channel.ChannelHandlerContext
import io.netty.channel.ChannelInboundHandlerAdapter
import io.netty.channel.ChannelInitializer
import io.netty.channel.ChannelOption
import io.netty.channel.MultiThreadIoEventLoopGroup
import io.netty.channel.nio.NioIoHandler
import io.netty.channel.socket.nio.NioServerSocketChannel
import io.netty.channel.socket.nio.NioSocketChannel
import java.net.InetSocketAddress
import java.util.ArrayDeque
import java.util.concurrent.TimeUnit
import kotlin.time.Duration

/**
 * Stands for a long link of unlimited rate: forwards what connections say, each way [oneWay] later.
 * Holds whatever is under way and never slows the sender, so what limits the rate is the flow
 * control of what runs over it; the windows of TCP itself see no delay. Copies nothing, and has an
 * event loop of its own.
 */
internal class DelayedLink(
    oneWay: Duration,
) : AutoCloseable {
    private val delay = oneWay.inWholeNanoseconds
    private val group = MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory())

    /** Used on the event loop only. */
    private val directions = mutableListOf<Direction>()

    /** The address that reaches [listener] by this link. */
    fun to(listener: Multiaddr): Multiaddr {
        val port = to(listener.value("tcp").orElseThrow().toInt())
        return Multiaddr
            .parse(
                "/ip4/127.0.0.1/tcp/$port",
            ).withPeerId(listener.peerId().orElseThrow())
    }

    /** The local port that reaches the local [port] by this link. */
    fun to(port: Int): Int {
        val listening =
            ServerBootstrap()
                .group(group)
                .channel(NioServerSocketChannel::class.java)
                .childOption(ChannelOption.AUTO_READ, false)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.RECVBUF_ALLOCATOR, readSizes())
                .childHandler(
                    object : ChannelInitializer<NioSocketChannel>() {
                        override fun initChannel(accepted: NioSocketChannel) = dial(port, accepted)
                    },
                ).bind(InetSocketAddress("127.0.0.1", 0))
                .syncUninterruptibly()
                .channel()
        return (listening.localAddress() as InetSocketAddress).port
    }

    private fun dial(
        port: Int,
        accepted: Channel,
    ) {
        Bootstrap()
            .group(accepted.eventLoop())
            .channel(NioSocketChannel::class.java)
            .option(ChannelOption.TCP_NODELAY, true)
            .option(ChannelOption.RECVBUF_ALLOCATOR, readSizes())
            .handler(Direction(accepted))
            .connect(InetSocketAddress("127.0.0.1", port))
            .addListener(
                ChannelFutureListener { dialled ->
                    if (dialled.isSuccess) {
                        accepted.pipeline().addLast(Direction(dialled.channel()))
                        accepted.config().isAutoRead = true
                    } else {
                        accepted.close()
                    }
                },
            )
    }

    /** Drops what is under way; the ends are closed before. */
    override fun close() {
        group.submit { directions.forEach { it.drop() } }.syncUninterruptibly()
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly()
    }

    private class UnderWay(
        val bytes: ByteBuf,
        val due: Long,
    )

    /** From the channel that this is a handler of to the channel [to], both on the one event loop. */
    private inner class Direction(
        private val to: Channel,
    ) : ChannelInboundHandlerAdapter() {
        private val underWay = ArrayDeque<UnderWay>()

        init {
            directions += this
        }

        override fun channelRead(
            ctx: ChannelHandlerContext,
            message: Any,
        ) {
            underWay += UnderWay(message as ByteBuf, System.nanoTime() + delay)
            if (underWay.size == 1) arriveIn(delay)
        }

        override fun channelInactive(ctx: ChannelHandlerContext) {
            val end = System.nanoTime() + delay
            val arrival = {
                forward(end)
                to.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE)
            }
            to.eventLoop().schedule(arrival, delay, TimeUnit.NANOSECONDS)
        }

        /** The connection broke: both ends learn that by its close, and have more to say about it. */
        override fun exceptionCaught(
            ctx: ChannelHandlerContext,
            cause: Throwable,
        ) {
            ctx.close()
        }

        private fun arriveIn(nanos: Long) {
            to.eventLoop().schedule(::arrive, nanos, TimeUnit.NANOSECONDS)
        }

        private fun arrive() {
            val now = System.nanoTime()
            forward(now)
            underWay.peekFirst()?.let { arriveIn(it.due - now) }
        }

        private fun forward(now: Long) {
            while (underWay.isNotEmpty() && underWay.first().due - now <= 0) {
                to.write(underWay.removeFirst().bytes)
            }
            to.flush()
        }

        fun drop() {
            while (underWay.isNotEmpty()) underWay.removeFirst().bytes.release()
        }
    }

    private companion object {
        fun readSizes() = AdaptiveRecvByteBufAllocator(1 shl 10, 64 shl 10, 256 shl 10)
    }
}
