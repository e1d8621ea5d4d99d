package io.grpcstream.samples.benchmarks

import io.netty.buffer.ByteBuf
import io.netty.channel.ChannelHandlerContext
import io.netty.channel.ChannelInboundHandlerAdapter
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicLong

/**
 * One stream without gRPC, that the client fills and the server empties: counts bytes as they are
 * read. The stream stays open between [stop] and the next [start], with the window that it has got.
 */
internal class BulkLoad(
    hosts: HostPair,
) : Load {
    @Volatile
    private var meter = Meter()
    private val underWay = AtomicLong()
    private val source = Source()

    init {
        hosts.server.handle(PROTOCOL) { it.channel().pipeline().addLast(Sink()) }
        val channel = hosts.newStream(PROTOCOL).channel()
        channel.eventLoop().submit { channel.pipeline().addLast(source) }.syncUninterruptibly()
    }

    override fun start(meter: Meter) {
        this.meter = meter
        source.onEventLoop { start() }
    }

    override fun stop() {
        val drained = CountDownLatch(1)
        source.onEventLoop { stop(drained) }
        check(drained.await(10, TimeUnit.SECONDS)) { "$underWay bytes were not read" }
    }

    /** Writes while the channel is writable, in pieces of 64 KiB that are all the same memory. */
    private inner class Source : ChannelInboundHandlerAdapter() {
        private val piece = piece(PIECE)
        private lateinit var context: ChannelHandlerContext
        private var running = false
        private var writing = false

        override fun handlerAdded(ctx: ChannelHandlerContext) {
            context = ctx
        }

        fun onEventLoop(task: Source.() -> Unit) {
            context.executor().submit { task() }.syncUninterruptibly()
        }

        fun start() {
            running = true
            write()
        }

        fun stop(drained: CountDownLatch) {
            running = false
            awaitDrained(drained)
        }

        private fun awaitDrained(drained: CountDownLatch) {
            if (underWay.get() == 0L || !context.channel().isOpen) {
                drained.countDown()
            } else {
                context.executor().schedule({ awaitDrained(drained) }, 1, TimeUnit.MILLISECONDS)
            }
        }

        override fun channelWritabilityChanged(ctx: ChannelHandlerContext) {
            write()
            ctx.fireChannelWritabilityChanged()
        }

        private fun write() {
            // Writing changes the writability, which comes back here.
            if (writing) return
            writing = true
            while (running && context.channel().isWritable) {
                underWay.addAndGet(PIECE.toLong())
                context.writeAndFlush(piece.duplicate())
            }
            writing = false
        }
    }

    private inner class Sink : ChannelInboundHandlerAdapter() {
        override fun channelRead(
            ctx: ChannelHandlerContext,
            message: Any,
        ) {
            val bytes = (message as ByteBuf).readableBytes().toLong()
            message.release()
            meter.done(bytes)
            underWay.addAndGet(-bytes)
        }
    }

    private companion object {
        const val PROTOCOL = "/bulk/1.0.0"
        const val PIECE = 64 * 1024
    }
}
