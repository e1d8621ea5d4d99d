package io.grpcstream.samples.peercurl.doors

import io.netty.channel.EventLoop
import io.netty.channel.EventLoopGroup
import io.netty.channel.IoEventLoop
import io.netty.channel.IoHandlerFactory
import io.netty.channel.MultiThreadIoEventLoopGroup
import io.netty.channel.ServerChannel
import io.netty.channel.epoll.Epoll
import io.netty.channel.epoll.EpollIoHandler
import io.netty.channel.epoll.EpollServerSocketChannel
import io.netty.channel.epoll.EpollSocketChannel
import io.netty.channel.kqueue.KQueue
import io.netty.channel.kqueue.KQueueIoHandler
import io.netty.channel.kqueue.KQueueServerSocketChannel
import io.netty.channel.kqueue.KQueueSocketChannel
import io.netty.channel.nio.NioIoHandler
import io.netty.channel.socket.SocketChannel
import io.netty.channel.socket.nio.NioServerSocketChannel
import io.netty.channel.socket.nio.NioSocketChannel

/**
 * The kinds of TCP sockets that event loops run: a host's, so that a door's sockets run where its
 * streams do.
 */
internal enum class Sockets(
    val newChannel: () -> SocketChannel,
    val newServerChannel: () -> ServerChannel,
) {
    EPOLL(::EpollSocketChannel, ::EpollServerSocketChannel),
    KQUEUE(::KQueueSocketChannel, ::KQueueServerSocketChannel),
    NIO(::NioSocketChannel, ::NioServerSocketChannel),
    ;

    companion object {
        /** The kind that [loop] runs. */
        fun of(loop: EventLoop): Sockets {
            val io = loop as? IoEventLoop
            return when {
                io == null -> null
                io.isIoType(NioIoHandler::class.java) -> NIO
                Epoll.isAvailable() && io.isIoType(EpollIoHandler::class.java) -> EPOLL
                KQueue.isAvailable() && io.isIoType(KQueueIoHandler::class.java) -> KQUEUE
                else -> null
            }
                ?: throw IllegalArgumentException(
                    "event loop $loop runs none of epoll, kqueue and NIO",
                )
        }
    }
}

/**
 * Event loops for a host and its doors, whose sockets then run where its streams do: bytes change
 * no thread on their way. They are the caller's to end, behind the host.
 */
public fun doorLoops(threads: Int = 0): EventLoopGroup {
    val kind: IoHandlerFactory =
        when {
            Epoll.isAvailable() -> EpollIoHandler.newFactory()
            KQueue.isAvailable() -> KQueueIoHandler.newFactory()
            else -> NioIoHandler.newFactory()
        }
    return MultiThreadIoEventLoopGroup(threads, kind)
}
