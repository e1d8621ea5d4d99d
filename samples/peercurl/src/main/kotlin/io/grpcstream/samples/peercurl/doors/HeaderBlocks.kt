package io.grpcstream.samples.peercurl.doors

import io.netty.buffer.ByteBuf
import io.netty.buffer.Unpooled
import io.netty.handler.codec.http2.DefaultHttp2HeadersDecoder
import io.netty.handler.codec.http2.Http2Error
import io.netty.handler.codec.http2.Http2Exception
import io.netty.handler.codec.http2.Http2Flags
import io.netty.handler.codec.http2.Http2FrameTypes
import io.netty.handler.codec.http2.Http2Headers

/**
 * The headers that one HEADERS frame begins (RFC 9113, section 6.2), the last of its CONTINUATIONs
 * read.
 */
internal class HeaderBlock(
    val streamId: Int,
    val endOfStream: Boolean,
    val headers: Http2Headers,
)

/**
 * Reads the header blocks of one direction, each of which changes how the next is read (HPACK), so
 * that none may be left out. At most [MAX_BYTES] of each, on the wire and read, in [MAX_FRAMES].
 */
internal class HeaderBlocks {
    private val decoder = DefaultHttp2HeadersDecoder(false, MAX_BYTES.toLong())
    private val fragments = Unpooled.buffer(0, MAX_BYTES)

    /** The stream whose block has begun and not ended, if there is one. */
    private var open = 0
    private var endOfStream = false
    private var frames = 0

    /** A frame begins. Returns whether it is part of a block. */
    fun begin(
        type: Byte,
        streamId: Int,
        length: Int,
    ): Boolean {
        when {
            type == Http2FrameTypes.CONTINUATION && (open == 0 || streamId != open) -> {
                throw Http2Violation(
                    Http2Error.PROTOCOL_ERROR,
                    "CONTINUATION of no header block, on stream $streamId",
                )
            }

            type != Http2FrameTypes.CONTINUATION && open != 0 -> {
                throw Http2Violation(
                    Http2Error.PROTOCOL_ERROR,
                    "a frame of type $type in the midst of the header block of stream $open",
                )
            }

            type != Http2FrameTypes.CONTINUATION && type != Http2FrameTypes.HEADERS -> {
                return false
            }
        }
        val bytes = fragments.readableBytes() + length
        if (bytes > MAX_BYTES) {
            throw tooMuch("headers of $bytes bytes on stream $streamId, limit $MAX_BYTES")
        }
        if (++frames > MAX_FRAMES) {
            throw tooMuch("headers in more than $MAX_FRAMES frames on stream $streamId")
        }
        return true
    }

    /**
     * Adds the [payload] of a frame that is part of a block, which it returns if it is whole now.
     */
    fun add(
        type: Byte,
        flags: Byte,
        streamId: Int,
        payload: ByteBuf,
    ): HeaderBlock? {
        val set = Http2Flags(flags.toShort())
        if (type == Http2FrameTypes.HEADERS) {
            strip(set, payload)
            open = streamId
            endOfStream = set.endOfStream()
        }
        if (!set.endOfHeaders()) {
            fragments.writeBytes(payload)
            return null
        }
        if (fragments.isReadable) fragments.writeBytes(payload)
        val headers = decode(if (fragments.isReadable) fragments else payload)
        fragments.clear()
        // What was large once need not be kept for it.
        if (fragments.capacity() > Http2.FRAME_SIZE) fragments.capacity(0)
        open = 0
        frames = 0
        return HeaderBlock(streamId, endOfStream, headers)
    }

    private fun decode(block: ByteBuf): Http2Headers =
        try {
            decoder.decodeHeaders(open, block)
        } catch (e: Http2Exception.HeaderListSizeException) {
            throw tooMuch("headers of more than $MAX_BYTES bytes on stream ${e.streamId()}")
        } catch (e: Http2Exception) {
            throw Http2Violation(e.error(), "headers that cannot be read: ${e.message}")
        }

    /** What is in a HEADERS frame beside its part of the block. */
    private fun strip(
        flags: Http2Flags,
        payload: ByteBuf,
    ) {
        val padding =
            if (flags.paddingPresent() &&
                payload.isReadable
            ) {
                payload.readUnsignedByte().toInt()
            } else {
                0
            }
        val priority = if (flags.priorityPresent()) PRIORITY_BYTES else 0
        if (padding + priority > payload.readableBytes()) {
            throw Http2Violation(
                Http2Error.PROTOCOL_ERROR,
                "a HEADERS frame of more padding than bytes",
            )
        }
        payload.skipBytes(priority)
        payload.writerIndex(payload.writerIndex() - padding)
    }

    /**
     * The other side lets the sender of these headers use tables of [bytes]. It is told how much of
     * that the sender uses; so a table that is larger than that, for a while, reads the same.
     */
    fun allowTable(bytes: Long) {
        if (bytes > decoder.maxHeaderTableSize()) {
            decoder.maxHeaderTableSize(minOf(bytes, MAX_TABLE_BYTES))
        }
    }

    private fun tooMuch(text: String) = Http2Violation(Http2Error.ENHANCE_YOUR_CALM, text)

    companion object {
        const val MAX_BYTES: Int = 64 shl 10
        private const val MAX_FRAMES = 64
        private const val MAX_TABLE_BYTES = 1L shl 20
        private const val PRIORITY_BYTES = 5
    }
}

/**
 * The size of the header table that a SETTINGS frame's [payload] allows, if it says so; the last
 * one counts.
 */
internal fun headerTableOf(payload: ByteBuf): Long? {
    var size: Long? = null
    while (payload.readableBytes() >= SETTING_BYTES) {
        val id = payload.readUnsignedShort()
        val value = payload.readUnsignedInt()
        if (id == Http2.SETTINGS_HEADER_TABLE_SIZE) size = value
    }
    return size
}

private const val SETTING_BYTES = 6
