package io.grpcstream.samples.peercurl.doors

import io.netty.buffer.ByteBuf
import io.netty.buffer.Unpooled
import io.netty.handler.codec.http2.Http2Error
import io.netty.handler.codec.http2.Http2FrameTypes

/** What of HTTP/2 (RFC 9113) a door has to know by itself. */
internal object Http2 {
    /** What a client sends first; section 3.4. */
    val PREFACE: ByteArray = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".toByteArray()

    const val FRAME_HEADER = 9

    /** The largest payload that everybody takes; section 4.2. */
    const val FRAME_SIZE = 16_384

    /** The identifier of the one setting that matters here; section 6.5.2. */
    const val SETTINGS_HEADER_TABLE_SIZE = 1

    const val CONNECTION = 0

    private const val GOAWAY_FIXED = 8

    /** As much of a text as goes into a GOAWAY. */
    private const val MAX_TEXT = 1_024

    fun frameHeader(
        out: ByteBuf,
        length: Int,
        type: Byte,
        flags: Int,
        streamId: Int,
    ) {
        out.writeMedium(length)
        out.writeByte(type.toInt())
        out.writeByte(flags)
        out.writeInt(streamId)
    }

    /** The server's preface, where nothing is to be set; section 3.4. */
    fun emptySettings(): ByteBuf =
        Unpooled.buffer(FRAME_HEADER).also {
            frameHeader(it, 0, Http2FrameTypes.SETTINGS, 0, CONNECTION)
        }

    /**
     * A GOAWAY after which calls up to [lastStreamId] may go on (section 6.8), and which says why
     * to whoever reports their end.
     */
    fun goAway(
        error: Http2Error,
        text: String,
        lastStreamId: Int = Int.MAX_VALUE,
    ): ByteBuf {
        val bytes = text.toByteArray()
        val debug = minOf(bytes.size, MAX_TEXT)
        val frame = Unpooled.buffer(FRAME_HEADER + GOAWAY_FIXED + debug)
        frameHeader(frame, GOAWAY_FIXED + debug, Http2FrameTypes.GO_AWAY, 0, CONNECTION)
        frame.writeInt(lastStreamId)
        frame.writeInt(error.code().toInt())
        return frame.writeBytes(bytes, 0, debug)
    }
}

/** Bytes that are not what HTTP/2 has in their place, or more of them than a door takes. */
internal class Http2Violation(
    val error: Http2Error,
    message: String,
) : Exception(message, null, false, false)

/** The first bytes of a client are not those of HTTP/2. */
internal class NotHttp2(
    val begin: Begin,
) : Exception(begin.text, null, false, false) {
    enum class Begin(
        val text: String,
    ) {
        TLS("it speaks TLS: tell it to use plaintext, as grpcurl -plaintext does"),
        HTTP_1("it speaks HTTP/1.1: gRPC is HTTP/2 with prior knowledge"),
        OTHER("it does not speak HTTP/2"),
    }
}
