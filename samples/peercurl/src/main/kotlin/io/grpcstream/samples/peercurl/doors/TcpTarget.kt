package io.grpcstream.samples.peercurl.doors

import io.netty.bootstrap.Bootstrap
import io.netty.channel.ChannelFuture
import io.netty.channel.ChannelFutureListener
import io.netty.channel.ChannelInboundHandlerAdapter
import io.netty.channel.ChannelOption
import io.netty.channel.EventLoop
import io.netty.channel.socket.SocketChannel
import io.netty.util.NetUtil
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.asExecutor
import java.net.InetAddress
import java.net.InetSocketAddress
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionException
import java.util.concurrent.CompletionStage

/** Where a TCP server listens, by name or by number. */
public class TcpTarget(
    private val host: String,
    private val port: Int,
) {
    /** One that is a number needs no looking up. */
    private val literal: InetAddress? =
        NetUtil.createByteArrayFromIpAddressString(host)?.let { InetAddress.getByAddress(it) }

    /** A connection on [loop], which is not read yet; completes there. */
    internal fun connect(loop: EventLoop): CompletionStage<SocketChannel> {
        val result = CompletableFuture<SocketChannel>()
        if (literal != null) {
            connect(loop, listOf(literal), result)
        } else {
            // Looking a name up blocks.
            CompletableFuture
                .supplyAsync(
                    { InetAddress.getAllByName(host).toList() },
                    Dispatchers.IO.asExecutor(),
                ).whenComplete { addresses, failure ->
                    loop.execute {
                        if (failure != null) {
                            result.completeExceptionally(
                                (failure as? CompletionException)?.cause ?: failure,
                            )
                        } else {
                            connect(loop, addresses, result)
                        }
                    }
                }
        }
        return result
    }

    /** Tries the [addresses] one after the other. */
    private fun connect(
        loop: EventLoop,
        addresses: List<InetAddress>,
        result: CompletableFuture<SocketChannel>,
    ) {
        Bootstrap()
            .group(loop)
            .disableResolver()
            .channelFactory(Sockets.of(loop).newChannel)
            .option(ChannelOption.AUTO_READ, false)
            .option(ChannelOption.TCP_NODELAY, true)
            .option(ChannelOption.SO_KEEPALIVE, true)
            .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, TIMEOUT_MILLIS)
            .handler(object : ChannelInboundHandlerAdapter() {})
            .connect(InetSocketAddress(addresses.first(), port))
            .addListener(
                ChannelFutureListener { connected: ChannelFuture ->
                    if (connected.isSuccess) {
                        result.complete(connected.channel() as SocketChannel)
                    } else if (addresses.size > 1) {
                        connect(loop, addresses.drop(1), result)
                    } else {
                        result.completeExceptionally(connected.cause())
                    }
                },
            )
    }

    override fun toString(): String = if (':' in host) "[$host]:$port" else "$host:$port"

    private companion object {
        const val TIMEOUT_MILLIS = 5_000
    }
}
