package io.grpcstream.samples.peercurl.doors

import io.netty.buffer.ByteBuf
import io.netty.handler.codec.http2.Http2Error
import io.netty.handler.codec.http2.Http2Flags
import io.netty.handler.codec.http2.Http2FrameTypes

/**
 * The log of a connection's calls, and what it reads of the frames for that. What it cannot read
 * it says once, and from then on it looks at nothing more: what passes is none of its business.
 */
internal class Tap(
    private val calls: CallLog,
    private val warn: (String) -> Unit,
) {
    val requests: FrameWatcher = Direction(true)
    val responses: FrameWatcher = Direction(false)

    private val callerHeaders = HeaderBlocks()
    private val serverHeaders = HeaderBlocks()
    private var blind = false

    /** The headers of a request that somebody else has read already. */
    fun requested(block: HeaderBlock) = look { calls.requested(block) }

    fun lost(text: String) = calls.lost(text)

    private inline fun look(action: () -> Unit) {
        if (blind) return
        try {
            action()
        } catch (e: Http2Violation) {
            blind = true
            warn("its calls are not shown any more: ${e.message}")
        }
    }

    private inner class Direction(
        private val fromCaller: Boolean,
    ) : FrameWatcher {
        private val headers get() = if (fromCaller) callerHeaders else serverHeaders

        override fun begin(
            type: Byte,
            flags: Byte,
            streamId: Int,
            length: Int,
        ): Interest {
            var interest = Interest.PASS
            look {
                when (type) {
                    Http2FrameTypes.DATA -> {
                        if (fromCaller) {
                            calls.sent(
                                streamId,
                                length,
                            )
                        } else {
                            calls.received(streamId, length)
                        }
                    }

                    Http2FrameTypes.PUSH_PROMISE -> {
                        throw Http2Violation(Http2Error.PROTOCOL_ERROR, "the server pushes")
                    }

                    Http2FrameTypes.RST_STREAM, Http2FrameTypes.SETTINGS -> {
                        // Both are small, or the connection is about to end for it.
                        if (length <= SMALL) interest = Interest.COPY
                    }

                    else -> {
                        if (headers.begin(type, streamId, length)) interest = Interest.COPY
                    }
                }
            }
            return interest
        }

        override fun complete(
            type: Byte,
            flags: Byte,
            streamId: Int,
            payload: ByteBuf,
        ) = look {
            when (type) {
                Http2FrameTypes.RST_STREAM -> {
                    if (payload.readableBytes() >= Int.SIZE_BYTES) {
                        calls.reset(streamId, fromCaller, payload.readUnsignedInt())
                    }
                }

                Http2FrameTypes.SETTINGS -> {
                    headerTableOf(
                        payload,
                    )?.let((if (fromCaller) serverHeaders else callerHeaders)::allowTable)
                }

                else -> {
                    headers.add(type, flags, streamId, payload)?.let {
                        if (fromCaller) calls.requested(it) else calls.responded(it)
                    }
                }
            }
        }
    }

    private companion object {
        const val SMALL = 1_024
    }
}

/** Frames from a caller that pass as they are. */
internal class UntouchedRequests(
    private val calls: OpenCalls,
    private val tap: Tap?,
) : FrameWatcher {
    override fun begin(
        type: Byte,
        flags: Byte,
        streamId: Int,
        length: Int,
    ): Interest {
        calls.fromCaller(type, streamId)
        return tap?.requests?.begin(type, flags, streamId, length) ?: Interest.PASS
    }

    override fun complete(
        type: Byte,
        flags: Byte,
        streamId: Int,
        payload: ByteBuf,
    ) {
        tap?.requests?.complete(type, flags, streamId, payload)
    }
}

/**
 * Frames from a server, which pass as they are. Knows whether the server has said that it leaves.
 */
internal class Responses(
    private val calls: OpenCalls,
    private val tap: Tap?,
    private val requests: SignedRequests?,
) : FrameWatcher {
    /** Whether a GOAWAY has passed: another one might contradict it. */
    var goAwayPassed: Boolean = false
        private set
    private var begun = false

    override fun begin(
        type: Byte,
        flags: Byte,
        streamId: Int,
        length: Int,
    ): Interest {
        if (!begun &&
            type != Http2FrameTypes.SETTINGS
        ) {
            throw Http2Violation(Http2Error.NO_ERROR, NO_SERVER)
        }
        begun = true
        calls.fromServer(type, flags, streamId)
        when (type) {
            Http2FrameTypes.GO_AWAY -> {
                goAwayPassed = true
            }

            Http2FrameTypes.HEADERS -> {
                if (Http2Flags(
                        flags.toShort(),
                    ).endOfStream()
                ) {
                    requests?.answered()
                }
            }
        }
        val wanted = tap?.responses?.begin(type, flags, streamId, length) ?: Interest.PASS
        val settings =
            requests != null && type == Http2FrameTypes.SETTINGS && length <= MAX_SETTINGS
        return if (settings) Interest.COPY else wanted
    }

    override fun complete(
        type: Byte,
        flags: Byte,
        streamId: Int,
        payload: ByteBuf,
    ) {
        if (requests != null && type == Http2FrameTypes.SETTINGS) {
            headerTableOf(payload.duplicate())?.let(requests.headers::allowTable)
        }
        tap?.responses?.complete(type, flags, streamId, payload)
    }

    private companion object {
        const val MAX_SETTINGS = 1_024
        const val NO_SERVER = "what listens there does not speak HTTP/2 with prior knowledge"
    }
}

/**
 * Frames from a peer to the server behind the door: HEADERS are written anew, with the peer's id in
 * them; all others pass as they are. Counts calls that are reset before they are answered, which
 * cost the server work and the caller none (CVE-2023-44487).
 */
internal class SignedRequests(
    private val header: PeerIdHeader,
    private val calls: OpenCalls,
    private val tap: Tap?,
    private val resets: ResetBudget = ResetBudget(),
    private val out: (ByteBuf) -> Unit,
) : FrameWatcher {
    val headers = HeaderBlocks()

    /** The server has answered a call. */
    fun answered() = resets.giveBack()

    override fun begin(
        type: Byte,
        flags: Byte,
        streamId: Int,
        length: Int,
    ): Interest {
        calls.fromCaller(type, streamId)
        if (headers.begin(type, streamId, length)) return Interest.TAKE
        when (type) {
            Http2FrameTypes.PUSH_PROMISE -> {
                throw Http2Violation(
                    Http2Error.PROTOCOL_ERROR,
                    "PUSH_PROMISE by a client, on stream $streamId",
                )
            }

            Http2FrameTypes.RST_STREAM -> {
                resets.spend()
            }
        }
        return tap?.requests?.begin(type, flags, streamId, length) ?: Interest.PASS
    }

    override fun complete(
        type: Byte,
        flags: Byte,
        streamId: Int,
        payload: ByteBuf,
    ) {
        if (type == Http2FrameTypes.HEADERS || type == Http2FrameTypes.CONTINUATION) {
            val block = headers.add(type, flags, streamId, payload) ?: return
            tap?.requested(block)
            out(header.rewrite(block))
        } else {
            tap?.requests?.complete(type, flags, streamId, payload)
        }
    }
}

/**
 * How many calls a caller may still reset: each that is answered gives one back, and so does time.
 */
internal class ResetBudget(
    private val nanoTime: () -> Long = System::nanoTime,
) {
    private var left = CAPACITY.toDouble()
    private var countedAt = nanoTime()

    fun spend() {
        val now = nanoTime()
        left =
            minOf(
                CAPACITY.toDouble(),
                left + (now - countedAt).toDouble() / REFILL_NANOS * CAPACITY,
            )
        countedAt = now
        if (left < 1) {
            throw Http2Violation(
                Http2Error.ENHANCE_YOUR_CALM,
                "more than $CAPACITY calls reset in 10 seconds, unanswered",
            )
        }
        left--
    }

    fun giveBack() {
        if (left < CAPACITY) left++
    }

    private companion object {
        /** As many as GrpcStream grants a peer by default. */
        const val CAPACITY = 2_000
        const val REFILL_NANOS = 10_000_000_000L
    }
}
