package io.grpcstream.samples.gateway.http

import io.netty.channel.Channel
import io.netty.channel.ChannelHandlerContext
import io.netty.channel.ChannelInboundHandlerAdapter
import io.netty.util.concurrent.ScheduledFuture
import java.net.SocketAddress
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.TimeUnit
import kotlin.time.Duration

/**
 * Closes connections that have had no request under way for [idle]. Armeria's own timeout begins anew
 * with each byte: a client that sends its headers one byte at a time would hold its connection for ever.
 */
internal class IdleConnections(
    private val idle: Duration,
) {
    private val watched = ConcurrentHashMap<SocketAddress, Watch>()

    /** Watches [channel], from its beginning on. */
    fun watch(channel: Channel) {
        channel.pipeline().addFirst(Watch())
    }

    /** A request has come over the connection from [client]. */
    fun begin(client: SocketAddress) {
        watched[client]?.change(1)
    }

    /** Its response has gone. */
    fun end(client: SocketAddress) {
        watched[client]?.change(-1)
    }

    private inner class Watch : ChannelInboundHandlerAdapter() {
        private lateinit var context: ChannelHandlerContext
        private lateinit var client: SocketAddress
        private var underWay = 0
        private var timeout: ScheduledFuture<*>? = null

        override fun handlerAdded(context: ChannelHandlerContext) {
            this.context = context
            if (context.channel().isActive) begin()
        }

        override fun channelActive(context: ChannelHandlerContext) {
            begin()
            context.fireChannelActive()
        }

        private fun begin() {
            if (this::client.isInitialized) return
            client = context.channel().remoteAddress() ?: return // It has gone already.
            watched[client] = this
            await()
        }

        fun change(by: Int) =
            context.executor().execute {
                underWay += by
                timeout?.cancel(false)
                if (underWay == 0) await()
            }

        private fun await() {
            if (!context.channel().isActive) return
            timeout =
                context.executor().schedule(
                    { context.close() },
                    idle.inWholeMilliseconds,
                    TimeUnit.MILLISECONDS,
                )
        }

        override fun channelInactive(context: ChannelHandlerContext) {
            timeout?.cancel(false)
            if (this::client.isInitialized) watched.remove(client, this)
            context.fireChannelInactive()
        }
    }
}
