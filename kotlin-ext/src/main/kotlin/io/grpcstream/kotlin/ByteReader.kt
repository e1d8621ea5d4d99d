package io.grpcstream.kotlin

import io.grpcstream.libp2p.Stream
import io.netty.buffer.ByteBuf
import io.netty.buffer.ByteBufUtil
import io.netty.channel.ChannelHandlerContext
import io.netty.channel.ChannelInboundHandlerAdapter
import io.netty.channel.ChannelOption
import io.netty.channel.socket.ChannelInputShutdownEvent
import io.netty.channel.socket.DuplexChannel
import io.netty.util.AttributeKey
import io.netty.util.ReferenceCountUtil
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.channels.getOrElse
import java.nio.channels.ClosedChannelException
import java.util.concurrent.RejectedExecutionException
import java.util.concurrent.atomic.AtomicBoolean

/**
 * The reading end of a stream whose bytes coroutines take. It asks the channel for one read at a
 * time, so that what nobody has asked for waits, uncredited, with the peer. What one read brings is
 * copied, and its buffer released, at once: no coroutine that is cancelled can leak a buffer.
 */
internal class ByteReader private constructor(
    private val stream: Stream,
) : ChannelInboundHandlerAdapter() {
    private val received = Channel<ByteArray>(Channel.UNLIMITED)
    private val claimed = AtomicBoolean()

    /** Whether a read was asked for that has brought nothing yet. On the event loop. */
    private var wanted = false

    fun claim() {
        check(claimed.compareAndSet(false, true)) {
            "the bytes of $stream were collected before: they can be collected once only"
        }
    }

    /** The next bytes, at least one; null at the end of what the peer sends. */
    suspend fun next(): ByteArray? {
        received.tryReceive().getOrNull()?.let { return it }
        onLoop {
            wanted = true
            stream.channel().read()
        }
        return received.receiveCatching().getOrElse { failure ->
            if (failure != null) throw failure
            null
        }
    }

    override fun handlerAdded(context: ChannelHandlerContext) {
        if (!context.channel().isActive) {
            ended()
        }
    }

    override fun channelRead(
        context: ChannelHandlerContext,
        message: Any,
    ) {
        try {
            val bytes = ByteBufUtil.getBytes(message as ByteBuf)
            if (bytes.isNotEmpty()) {
                wanted = false
                received.trySend(bytes)
            }
        } finally {
            ReferenceCountUtil.release(message)
        }
    }

    override fun channelReadComplete(context: ChannelHandlerContext) {
        if (wanted) {
            context.read()
        }
    }

    override fun userEventTriggered(
        context: ChannelHandlerContext,
        event: Any,
    ) {
        if (event === ChannelInputShutdownEvent.INSTANCE) {
            received.close()
        }
        context.fireUserEventTriggered(event)
    }

    @Deprecated("Deprecated in Java")
    override fun exceptionCaught(
        context: ChannelHandlerContext,
        cause: Throwable,
    ) {
        received.close(stream.failureOf(cause))
    }

    override fun channelInactive(context: ChannelHandlerContext) {
        ended()
        context.fireChannelInactive()
    }

    /** A channel without half-closure has no other end than this. */
    private fun ended() {
        val failure = if (stream.channel() is DuplexChannel) ClosedChannelException() else null
        received.close(failure?.let(stream::failureOf))
    }

    private fun onLoop(task: () -> Unit) {
        try {
            stream.channel().eventLoop().execute(task)
        } catch (e: RejectedExecutionException) {
            received.close(stream.failureOf(e))
        }
    }

    companion object {
        private val KEY = AttributeKey.valueOf<ByteReader>(ByteReader::class.java, "READER")

        /** The reader of [stream], which takes its bytes from the first call on. */
        fun of(stream: Stream): ByteReader {
            val attribute = stream.channel().attr(KEY)
            attribute.get()?.let { return it }
            val made = ByteReader(stream)
            attribute.setIfAbsent(made)?.let { return it }
            // In one task of the event loop: no read that the channel makes by itself comes between.
            if (stream.channel().eventLoop().inEventLoop()) {
                made.install()
            } else {
                made.onLoop(made::install)
            }
            return made
        }
    }

    private fun install() {
        val channel = stream.channel()
        channel.config().isAutoRead = false
        channel.config().setOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
        channel.pipeline().addLast(this)
    }
}
