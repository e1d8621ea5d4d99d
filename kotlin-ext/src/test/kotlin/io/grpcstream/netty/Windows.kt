package io.grpcstream.netty

import io.grpc.ManagedChannelBuilder
import io.grpc.ServerBuilder
import io.grpc.netty.NettyChannelBuilder
import io.grpc.netty.NettyServerBuilder
import io.grpcstream.PeerChannelBuilder

/** Fixes the HTTP/2 window in which a server's clients may send; it does not grow then. */
internal fun fixWindow(
    server: ServerBuilder<*>,
    bytes: Int,
) {
    (server as NettyServerBuilder).flowControlWindow(bytes)
}

/** Fixes the HTTP/2 window in which the server of a channel may send; it does not grow then. */
internal fun fixWindow(
    channel: ManagedChannelBuilder<*>,
    bytes: Int,
) {
    val netty =
        when (channel) {
            is ManagedPeerChannelBuilder -> channel.options()
            is PeerChannelBuilder -> return fixWindow(channel.internal(), bytes)
            else -> (channel as OneStreamChannelBuilder).delegate() as NettyChannelBuilder
        }
    netty.flowControlWindow(bytes)
}

/** What a user's builder passes all options on to. */
private fun PeerChannelBuilder.internal(): ManagedPeerChannelBuilder {
    val method = PeerChannelBuilder::class.java.getDeclaredMethod("delegate")
    method.isAccessible = true
    return method.invoke(this) as ManagedPeerChannelBuilder
}
