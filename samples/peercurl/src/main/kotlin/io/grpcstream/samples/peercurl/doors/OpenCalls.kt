package io.grpcstream.samples.peercurl.doors

import io.netty.handler.codec.http2.Http2Flags
import io.netty.handler.codec.http2.Http2FrameTypes

/**
 * Which HTTP/2 streams of a connection are under way, by the headers of their frames alone; so it
 * is known when nobody is bothered by the connection's end. Of more than [MAX] it is not known any
 * more.
 */
internal class OpenCalls {
    private val open = HashSet<Int>()
    private var tooMany = false

    /** The last stream that the caller has begun. */
    var last: Int = 0
        private set

    val isEmpty: Boolean get() = open.isEmpty() && !tooMany

    /** A frame from the caller begins. */
    fun fromCaller(
        type: Byte,
        streamId: Int,
    ) {
        when (type) {
            Http2FrameTypes.HEADERS -> begin(streamId)
            Http2FrameTypes.RST_STREAM -> open -= streamId
        }
    }

    /** A frame from the server begins: with the end of its side a call has its status. */
    fun fromServer(
        type: Byte,
        flags: Byte,
        streamId: Int,
    ) {
        when (type) {
            Http2FrameTypes.RST_STREAM -> {
                open -= streamId
            }

            Http2FrameTypes.HEADERS, Http2FrameTypes.DATA -> {
                if (Http2Flags(flags.toShort()).endOfStream()) open -= streamId
            }
        }
    }

    private fun begin(streamId: Int) {
        if (streamId <= last) return // Trailers.
        last = streamId
        if (open.size < MAX) open += streamId else tooMany = true
    }

    private companion object {
        const val MAX = 10_000
    }
}
