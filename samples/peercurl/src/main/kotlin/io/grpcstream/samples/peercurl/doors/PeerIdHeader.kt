package io.grpcstream.samples.peercurl.doors

import io.grpcstream.libp2p.PeerId
import io.netty.buffer.ByteBuf
import io.netty.buffer.Unpooled
import io.netty.handler.codec.http2.DefaultHttp2HeadersEncoder
import io.netty.handler.codec.http2.Http2Flags
import io.netty.handler.codec.http2.Http2FrameTypes
import io.netty.handler.codec.http2.Http2Headers
import io.netty.handler.codec.http2.Http2HeadersEncoder
import io.netty.util.AsciiString
import kotlin.math.min

/**
 * Writes the headers of requests anew, with the [peer] that has proven to be the caller in
 * [NAME], whatever they had under that name, or under one that some servers take for it.
 *
 * What it writes uses no table of HPACK's (RFC 7541), so that it agrees with any settings of the
 * server, and has no padding and no priority, which servers ignore.
 */
internal class PeerIdHeader(
    peer: PeerId,
) {
    private val id = AsciiString.of(peer.toString())
    private val encoder = DefaultHttp2HeadersEncoder(Http2HeadersEncoder.NEVER_SENSITIVE, true)

    /**
     * The last stream of whose requests headers came; what comes for it, or before it, are
     * trailers.
     */
    private var lastStream = 0

    init {
        encoder.maxHeaderTableSize(0)
    }

    /** The frames in which [block] goes on. */
    fun rewrite(block: HeaderBlock): ByteBuf {
        val headers = block.headers
        strip(headers)
        if (block.streamId > lastStream) {
            lastStream = block.streamId
            headers.add(NAME, id)
        }
        val encoded = Unpooled.buffer()
        encoder.encodeHeaders(block.streamId, headers, encoded)
        return frames(block, encoded)
    }

    private fun strip(headers: Http2Headers) {
        headers.names().filter(::standsForPeer).forEach { headers.remove(it) }
    }

    private fun frames(
        block: HeaderBlock,
        encoded: ByteBuf,
    ): ByteBuf {
        val count = maxOf(1, (encoded.readableBytes() + Http2.FRAME_SIZE - 1) / Http2.FRAME_SIZE)
        val frames = Unpooled.buffer(encoded.readableBytes() + count * Http2.FRAME_HEADER)
        repeat(count) { i ->
            val type = if (i == 0) Http2FrameTypes.HEADERS else Http2FrameTypes.CONTINUATION
            val flags =
                Http2Flags()
                    .endOfStream(i == 0 && block.endOfStream)
                    .endOfHeaders(i == count - 1)
            val n = min(encoded.readableBytes(), Http2.FRAME_SIZE)
            Http2.frameHeader(frames, n, type, flags.value().toInt(), block.streamId)
            frames.writeBytes(encoded, n)
        }
        return frames
    }

    companion object {
        /** The header that names the caller's peer id, in base58btc. */
        const val NAME: String = "x-libp2p-peer-id"

        /**
         * Whatever a server may take for [NAME]: gateways to CGI and its heirs know no difference.
         */
        fun standsForPeer(name: CharSequence): Boolean =
            name.length == NAME.length &&
                name.toString().replace('_', '-').equals(NAME, ignoreCase = true)
    }
}
