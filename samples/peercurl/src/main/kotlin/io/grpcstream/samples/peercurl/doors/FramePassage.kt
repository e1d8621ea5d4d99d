package io.grpcstream.samples.peercurl.doors

import io.netty.buffer.ByteBuf
import io.netty.buffer.Unpooled
import io.netty.handler.codec.http2.Http2Flags
import io.netty.handler.codec.http2.Http2FrameTypes
import kotlin.math.min

/** What becomes of a frame. */
internal enum class Interest {
    /** It passes, untouched. */
    PASS,

    /** It passes, untouched, and the watcher gets a copy of its payload. */
    COPY,

    /** It does not pass: the watcher gets its payload, and puts something in its place. */
    TAKE,
}

/** Who looks at the frames of one direction. What it throws ends the connection. */
internal interface FrameWatcher {
    /** A frame begins; [length] is that of its payload. */
    fun begin(
        type: Byte,
        flags: Byte,
        streamId: Int,
        length: Int,
    ): Interest

    /**
     * A frame that is not just to pass has all its [payload], which is the passage's to release.
     */
    fun complete(
        type: Byte,
        flags: Byte,
        streamId: Int,
        payload: ByteBuf,
    )
}

/**
 * One direction of an HTTP/2 connection on its way: knows where frames begin, in whatever pieces
 * their bytes come, and passes on the pieces as they are. Nothing is copied but what the [watcher]
 * wants to see, and the nine bytes of a frame's header where they come in two pieces.
 *
 * Used on one event loop. What it passes on belongs to [out].
 *
 * @param preface whether the client's preface comes before the first frame
 */
internal class FramePassage(
    preface: Boolean,
    private val watcher: FrameWatcher,
    private val out: (ByteBuf) -> Unit,
) {
    private var prefaceRead = if (preface) 0 else Http2.PREFACE.size

    /** The header of a frame, as far as it has come. */
    private val header = Unpooled.buffer(Http2.FRAME_HEADER, Http2.FRAME_HEADER)
    private var type: Byte = 0
    private var flags: Byte = 0
    private var streamId = 0

    /** What is still to come of the frame's payload. */
    private var left = 0
    private var interest = Interest.PASS
    private var payload: ByteBuf = Unpooled.EMPTY_BUFFER

    /** Whether the other side has shown that it speaks HTTP/2. */
    val isPrefacePassed: Boolean get() = prefaceRead == Http2.PREFACE.size

    /** Whether the frames of a header block have still to come, between which no other may. */
    private var inBlock = false

    /** Whether a frame could be put in here. */
    val isBetweenFrames: Boolean
        get() = left == 0 && !header.isReadable && isPrefacePassed && !inBlock

    /** Takes [bytes] over, and passes on what is to be. */
    fun pass(bytes: ByteBuf) {
        // What has passed from here on has not been handed over yet.
        var from = bytes.readerIndex()
        var at = from
        val end = bytes.writerIndex()
        try {
            while (at < end) {
                if (prefaceRead < Http2.PREFACE.size) {
                    at += readPreface(bytes, at, end)
                } else if (left > 0) {
                    at += readPayload(bytes, at, end)
                    if (interest == Interest.TAKE) from = at
                } else {
                    val held = header.readableBytes()
                    val begin = at
                    at += readHeader(bytes, at, end)
                    // It has not come as a whole; what is here of it waits.
                    if (header.isWritable) {
                        handOver(bytes, from, begin)
                        from = end
                        continue
                    }
                    beginFrame()
                    if (interest == Interest.TAKE) {
                        handOver(bytes, from, begin)
                        from = at
                    } else if (held > 0) {
                        out(header.copy(0, held))
                    }
                    header.clear()
                    if (left == 0) completeFrame()
                }
            }
            if (from == bytes.readerIndex() && from < end) {
                out(bytes.retain())
            } else {
                handOver(bytes, from, end)
            }
        } finally {
            bytes.release()
        }
    }

    private fun handOver(
        bytes: ByteBuf,
        from: Int,
        to: Int,
    ) {
        if (from < to) out(bytes.retainedSlice(from, to - from))
    }

    private fun readPreface(
        bytes: ByteBuf,
        at: Int,
        end: Int,
    ): Int {
        var i = at
        while (i < end && prefaceRead < Http2.PREFACE.size) {
            if (bytes.getByte(i) !=
                Http2.PREFACE[prefaceRead]
            ) {
                throw NotHttp2(beginOf(bytes, at, end))
            }
            i++
            prefaceRead++
        }
        return i - at
    }

    private fun beginOf(
        bytes: ByteBuf,
        at: Int,
        end: Int,
    ): NotHttp2.Begin {
        val first = bytes.getByte(at)
        return when {
            first == TLS_HANDSHAKE && end - at > 1 && bytes.getByte(at + 1) == TLS_MAJOR -> {
                NotHttp2.Begin.TLS
            }

            first in 'A'.code.toByte()..'Z'.code.toByte() -> {
                NotHttp2.Begin.HTTP_1
            }

            else -> {
                NotHttp2.Begin.OTHER
            }
        }
    }

    private fun readHeader(
        bytes: ByteBuf,
        at: Int,
        end: Int,
    ): Int {
        val n = min(header.writableBytes(), end - at)
        header.writeBytes(bytes, at, n)
        return n
    }

    private fun beginFrame() {
        left = header.getUnsignedMedium(0)
        type = header.getByte(3)
        flags = header.getByte(4)
        streamId = header.getInt(5) and Int.MAX_VALUE
        inBlock = type in BLOCK_TYPES && !Http2Flags(flags.toShort()).endOfHeaders()
        interest = watcher.begin(type, flags, streamId, left)
        if (interest != Interest.PASS && left > 0) payload = Unpooled.buffer(left, left)
    }

    private fun readPayload(
        bytes: ByteBuf,
        at: Int,
        end: Int,
    ): Int {
        val n = min(left, end - at)
        if (interest != Interest.PASS) payload.writeBytes(bytes, at, n)
        left -= n
        if (left == 0) completeFrame()
        return n
    }

    private fun completeFrame() {
        if (interest == Interest.PASS) return
        val whole = payload
        payload = Unpooled.EMPTY_BUFFER
        try {
            watcher.complete(type, flags, streamId, whole)
        } finally {
            whole.release()
        }
    }

    /** Passes on what waits for more, since no more will come. */
    fun end() {
        if (header.isReadable) out(header.copy())
        header.clear()
    }

    private companion object {
        val BLOCK_TYPES =
            setOf(
                Http2FrameTypes.HEADERS,
                Http2FrameTypes.PUSH_PROMISE,
                Http2FrameTypes.CONTINUATION,
            )
        const val TLS_HANDSHAKE: Byte = 22
        const val TLS_MAJOR: Byte = 3
    }
}
