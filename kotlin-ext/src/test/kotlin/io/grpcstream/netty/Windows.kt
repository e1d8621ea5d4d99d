package io.grpcstream.netty

import io.grpc.ManagedChannelBuilder
import io.grpc.ServerBuilder
import io.grpc.netty.NettyChannelBuilder
import io.grpc.netty.NettyServerBuilder

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
    ((channel as OneStreamChannelBuilder).delegate() as NettyChannelBuilder)
        .flowControlWindow(bytes)
}
