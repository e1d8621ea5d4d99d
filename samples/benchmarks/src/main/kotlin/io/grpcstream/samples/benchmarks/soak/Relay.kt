package io.grpcstream.samples.benchmarks.soak

import io.grpcstream.libp2p.Multiaddr
import io.netty.bootstrap.Bootstrap
import io.netty.bootstrap.ServerBootstrap
import io.netty.buffer.Unpooled
import io.netty.channel.Channel
import io.netty.channel.ChannelFutureListener
import io.netty.channel.ChannelHandlerContext
import io.netty.channel.ChannelInboundHandlerAdapter
import io.netty.channel.ChannelInitializer
import io.netty.channel.ChannelOption
import io.netty.channel.MultiThreadIoEventLoopGroup
import io.netty.channel.group.DefaultChannelGroup
import io.netty.channel.nio.NioIoHandler
import io.netty.channel.socket.nio.NioServerSocketChannel
import io.netty.channel.socket.nio.NioSocketChannel
import io.netty.util.concurrent.GlobalEventExecutor
import java.net.InetSocketAddress
import java.util.concurrent.TimeUnit

/**
 * Stands between two hosts as a network does: passes bytes on, and can break all connections at any
 * byte. Its own address stays while the host behind it comes and goes.
 */
internal class Relay : AutoCloseable {
    private val group = MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory())
    private val connections = DefaultChannelGroup(GlobalEventExecutor.INSTANCE)

    @Volatile
    private var target = 0

    private val port: Int =
        ServerBootstrap()
            .group(group)
            .channel(NioServerSocketChannel::class.java)
            .childOption(ChannelOption.AUTO_READ, false)
            .childOption(ChannelOption.TCP_NODELAY, true)
            .childHandler(
                object : ChannelInitializer<NioSocketChannel>() {
                    override fun initChannel(accepted: NioSocketChannel) = dial(accepted)
                },
            ).bind(InetSocketAddress("127.0.0.1", 0))
            .syncUninterruptibly()
            .channel()
            .let { (it.localAddress() as InetSocketAddress).port }

    /** Leads to [listener] from now on; returns the address to dial instead. */
    fun to(listener: Multiaddr): Multiaddr {
        target = listener.value("tcp").orElseThrow().toInt()
        return Multiaddr
            .parse("/ip4/127.0.0.1/tcp/$port")
            .withPeerId(listener.peerId().orElseThrow())
    }

    private fun dial(accepted: Channel) {
        connections += accepted
        Bootstrap()
            .group(accepted.eventLoop())
            .channel(NioSocketChannel::class.java)
            .option(ChannelOption.AUTO_READ, false)
            .option(ChannelOption.TCP_NODELAY, true)
            .handler(PassOn(accepted))
            .connect(InetSocketAddress("127.0.0.1", target))
            .addListener(
                ChannelFutureListener { dialled ->
                    if (dialled.isSuccess) {
                        val onward = dialled.channel()
                        connections += onward
                        accepted.pipeline().addLast(PassOn(onward))
                        accepted.config().isAutoRead = true
                        onward.config().isAutoRead = true
                    } else {
                        accepted.close()
                    }
                },
            )
    }

    /** Breaks all connections, as a network does: by a reset, with bytes of both ends under way. */
    fun cut() {
        for (connection in connections) {
            connection.eventLoop().execute {
                if (connection.isOpen) connection.config().setOption(ChannelOption.SO_LINGER, 0)
                connection.close()
            }
        }
    }

    override fun close() {
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly()
    }

    /** From the channel that this is a handler of to the channel [to], both on the one event loop. */
    private class PassOn(
        private val to: Channel,
    ) : ChannelInboundHandlerAdapter() {
        override fun channelRead(
            ctx: ChannelHandlerContext,
            message: Any,
        ) {
            to.writeAndFlush(message)
            if (!to.isWritable) ctx.channel().config().isAutoRead = false
        }

        override fun channelWritabilityChanged(ctx: ChannelHandlerContext) {
            if (ctx.channel().isWritable) to.config().isAutoRead = true
        }

        override fun channelInactive(ctx: ChannelHandlerContext) {
            to.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE)
        }

        /** The connection broke: both ends learn that by its close. */
        override fun exceptionCaught(
            ctx: ChannelHandlerContext,
            cause: Throwable,
        ) {
            ctx.close()
        }
    }
}
