package io.grpcstream.samples.benchmarks

import io.grpcstream.libp2p.Stream
import io.netty.buffer.ByteBuf
import io.netty.buffer.Unpooled
import io.netty.channel.ChannelHandlerContext
import io.netty.channel.ChannelInboundHandlerAdapter
import java.nio.ByteBuffer

/** Bytes over a stream without gRPC, as fast as its flow control lets. */
internal class ThroughputLoad(
    private val hosts: HostPair,
    bytes: Int,
) : Load {
    private val piece = piece(bytes)
    private var stream: Stream? = null

    override fun start(meter: Meter) {
        hosts.server.handle(PROTOCOL) { it.channel().pipeline().addLast(Sink(meter)) }
        val opened = hosts.newStream(PROTOCOL)
        stream = opened
        opened.channel().run {
            eventLoop().execute {
                pipeline().addLast(Source())
                pipeline().fireChannelWritabilityChanged()
            }
        }
    }

    override fun stop() {
        stream?.reset()
    }

    /** Writes whenever it can. */
    private inner class Source : ChannelInboundHandlerAdapter() {
        override fun channelWritabilityChanged(context: ChannelHandlerContext) {
            while (context.channel().isWritable) context.write(piece.duplicate())
            context.flush()
        }

        override fun exceptionCaught(
            context: ChannelHandlerContext,
            cause: Throwable,
        ) = Unit // The reset at the end.
    }

    /** Reads, counts and drops. */
    private class Sink(
        private val meter: Meter,
    ) : ChannelInboundHandlerAdapter() {
        override fun channelRead(
            context: ChannelHandlerContext,
            message: Any,
        ) {
            message as ByteBuf
            meter.done(message.readableBytes().toLong())
            message.release()
        }

        override fun exceptionCaught(
            context: ChannelHandlerContext,
            cause: Throwable,
        ) = Unit // The reset at the end.
    }

    private companion object {
        const val PROTOCOL = "/load/raw/1.0.0"
    }
}

/** Zeros outside the heap that can be written any number of times, as duplicates. */
internal fun piece(bytes: Int): ByteBuf =
    Unpooled.unreleasableBuffer(Unpooled.wrappedBuffer(ByteBuffer.allocateDirect(bytes)))

/** One message to and fro on a stream without gRPC. */
internal class PingPongLoad(
    private val hosts: HostPair,
    private val bytes: Int,
) : Load {
    private var stream: Stream? = null

    @Volatile
    private var running = false

    override fun start(meter: Meter) {
        running = true
        hosts.server.handle(PROTOCOL) { it.channel().pipeline().addLast(Echo()) }
        val opened = hosts.newStream(PROTOCOL)
        stream = opened
        opened.channel().run {
            eventLoop().execute {
                val caller = Caller(meter)
                pipeline().addLast(caller)
                caller.send(pipeline().lastContext())
            }
        }
    }

    override fun stop() {
        running = false
    }

    private class Echo : ChannelInboundHandlerAdapter() {
        override fun channelRead(
            context: ChannelHandlerContext,
            message: Any,
        ) {
            context.writeAndFlush(message)
        }
    }

    /** Sends the next message when the last one is back, and closes when it need not. */
    private inner class Caller(
        private val meter: Meter,
    ) : ChannelInboundHandlerAdapter() {
        private var start = 0L
        private var missing = 0

        fun send(context: ChannelHandlerContext) {
            start = System.nanoTime()
            missing = bytes
            context.writeAndFlush(context.alloc().buffer(bytes).writeZero(bytes))
        }

        override fun channelRead(
            context: ChannelHandlerContext,
            message: Any,
        ) {
            message as ByteBuf
            missing -= message.readableBytes()
            message.release()
            if (missing > 0) return
            meter.doneSince(start)
            if (running) send(context) else context.close()
        }
    }

    private companion object {
        const val PROTOCOL = "/load/pingpong/1.0.0"
    }
}
