package io.grpcstream.samples.peercurl.doors

import io.netty.buffer.ByteBuf
import io.netty.buffer.Unpooled
import io.netty.channel.ChannelFutureListener
import io.netty.channel.ChannelHandlerContext
import io.netty.channel.ChannelInboundHandlerAdapter
import io.netty.channel.socket.ChannelInputShutdownEvent
import io.netty.handler.codec.http2.Http2Error
import io.netty.util.concurrent.Future
import java.util.concurrent.TimeUnit
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/**
 * A socket and a stream, tied together: what comes out of one goes into the other, in the buffers
 * in which it came. Both are on one event loop, on which all of this runs.
 *
 * - **Back-pressure**: an end is read only while the other takes what was written. So what waits
 *   in this process is bounded by the water mark and one turn's reads.
 * - **Ends**: the end of one's output is passed on behind all that came before it, and so is a
 *   reset. Where one direction has ended and nothing passes for [PATIENCE], both are cut, as HTTP/2
 *   has no use for such connections; and likewise where a client does not begin to speak HTTP/2.
 * - **A lost server** is told to the caller as HTTP/2 has it: by a GOAWAY, if the bytes so far end
 *   with a frame, so that gRPC says in its status what has happened, and not just that something
 * has.
 *
 * @param caller the end at which the gRPC client is
 * @param server the end at which the gRPC server is
 * @param serverName what the server is called in texts for the caller
 * @param ended is told once, when both ends have been given up, with why, unless in good order
 */
internal class Splice(
    caller: SpliceEnd,
    server: SpliceEnd,
    private val serverName: String,
    private val tap: Tap?,
    signer: PeerIdHeader?,
    private val patience: Duration = PATIENCE,
    private val ended: (Splice, Throwable?) -> Unit,
) {
    private val caller = End(caller)
    private val server = End(server)
    private val calls = OpenCalls()
    private val signed =
        signer?.let {
            SignedRequests(it, calls, tap) { bytes -> write(this.server, bytes) }
        }
    private val requests =
        FramePassage(
            true,
            signed ?: UntouchedRequests(calls, tap),
        ) { bytes -> write(this.server, bytes) }
    private val responses = Responses(calls, tap, signed)
    private val answers = FramePassage(false, responses) { bytes -> write(this.caller, bytes) }
    private val loop = caller.channel.eventLoop()

    /** What to say to the caller as soon as the bytes to it end with a frame. */
    private var farewell: ByteBuf? = null
    private var farewellSaid = false
    private var over = false

    /** Why the door closes, if it does. */
    private var draining: String? = null

    /** Whether the server is read, unless the caller is slow. */
    private var reading = false
    private var prefaceTimer: Future<*>? = null
    private var idleChecks: Future<*>? = null

    /** Bytes from the caller, and to it. Any thread; exact once the splice has ended. */
    @Volatile
    var sent: Long = 0
        private set

    @Volatile
    var received: Long = 0
        private set

    init {
        require(
            loop === server.channel.eventLoop(),
        ) { "the ends of a splice are on two event loops" }
    }

    /** Begins to read both. On the event loop. */
    fun start() {
        caller.other = server
        server.other = caller
        caller.attach(requests)
        server.attach(answers)
        // One that has ended meanwhile has nobody told so.
        val gone = listOf(server, caller).firstOrNull { !it.channel.isActive }
        if (gone != null) {
            gone.lost()
        } else {
            // The server is read once there is an HTTP/2 client to read it.
            caller.channel.config().isAutoRead = true
            prefaceTimer =
                loop.schedule(
                    { giveUp("no HTTP/2 client has shown up in $patience", null) },
                    patience.inWholeNanoseconds,
                    TimeUnit.NANOSECONDS,
                )
        }
    }

    /**
     * Asks the caller to make no more calls here, for a reason; ends when those that it has made
     * have. Any thread.
     */
    fun drain(reason: String) {
        loop.execute {
            if (over || draining != null) return@execute
            draining = reason
            farewell = farewell ?: Http2.goAway(Http2Error.NO_ERROR, reason)
            sayFarewell()
            endIfDrained()
        }
    }

    private fun endIfDrained() {
        val reason = draining ?: return
        if (over || received == 0L || !calls.isEmpty) return
        if (!answers.isBetweenFrames || !requests.isBetweenFrames) return
        // Calls that are on their way have not been made: they can be made elsewhere.
        if (!responses.goAwayPassed) {
            caller.channel.write(Http2.goAway(Http2Error.NO_ERROR, reason, calls.last))
        }
        end(reason, null)
        server.finish()
        caller.finish()
    }

    /** Ends both at once. Any thread. */
    fun cut(reason: String) {
        loop.execute { giveUp(reason, null) }
    }

    private fun write(
        to: End,
        bytes: ByteBuf,
    ) {
        if (to === server) sent += bytes.readableBytes() else received += bytes.readableBytes()
        to.channel.write(bytes)
    }

    /**
     * Puts in what is to be said to the caller, where that is possible: behind the server's first
     * frame.
     */
    private fun sayFarewell() {
        val text = farewell ?: return
        if (received == 0L || !answers.isBetweenFrames) return
        farewell = null
        if (farewellSaid || responses.goAwayPassed || !caller.channel.isActive) {
            text.release()
        } else {
            farewellSaid = true
            caller.channel.writeAndFlush(text)
        }
    }

    /** The server is lost, or not to be bothered any more: tells the caller why, and ends. */
    private fun giveUp(
        reason: String,
        cause: Throwable?,
        error: Http2Error = Http2Error.NO_ERROR,
    ) {
        if (over) return
        val tellable = received == 0L || answers.isBetweenFrames
        if (tellable && caller.channel.isActive) {
            // No server has said anything before.
            if (received == 0L) write(caller, Http2.emptySettings())
            if (!farewellSaid &&
                !responses.goAwayPassed
            ) {
                caller.channel.write(Http2.goAway(error, reason))
            }
        }
        end(reason, cause)
        server.reset()
        if (tellable) caller.finish() else caller.reset()
    }

    /** From now on nothing passes. */
    private fun end(
        reason: String,
        cause: Throwable?,
    ) {
        over = true
        prefaceTimer?.cancel(false)
        idleChecks?.cancel(false)
        farewell?.release()
        farewell = null
        tap?.lost(reason)
        ended(this, cause)
    }

    /** One direction has ended. */
    private fun expectTheOther() {
        if (idleChecks != null || over) return
        var seen = sent + received
        val nanos = patience.inWholeNanoseconds
        idleChecks =
            loop.scheduleWithFixedDelay({
                val now = sent + received
                if (now ==
                    seen
                ) {
                    giveUp("half of it has ended, and nothing came for $patience", null)
                }
                seen = now
            }, nanos, nanos, TimeUnit.NANOSECONDS)
    }

    private inner class End(
        private val end: SpliceEnd,
    ) : ChannelInboundHandlerAdapter() {
        val channel get() = end.channel
        lateinit var other: End
        private lateinit var passage: FramePassage
        private var inputEnded = false
        private var outputEnded = false
        private var failure: Throwable? = null

        fun attach(passage: FramePassage) {
            this.passage = passage
            channel.pipeline().addLast(this)
        }

        override fun channelRead(
            context: ChannelHandlerContext,
            message: Any,
        ) {
            if (over) {
                (message as ByteBuf).release()
                return
            }
            try {
                passage.pass(message as ByteBuf)
            } catch (e: Http2Violation) {
                val text = if (this === server) "$serverName: ${e.message}" else e.message.orEmpty()
                return giveUp(text, e, e.error)
            } catch (e: NotHttp2) {
                return refuse(e)
            }
            if (this === server) {
                sayFarewell()
            } else if (!reading && requests.isPrefacePassed) {
                reading = true
                prefaceTimer?.cancel(false)
                server.channel.config().isAutoRead = true
            }
            endIfDrained()
            if (!over && !other.channel.isWritable) {
                other.channel.flush()
                if (!other.channel.isWritable) channel.config().isAutoRead = false
            }
        }

        /** What is no HTTP/2 need not reach the server, and may be a mistake that words mend. */
        private fun refuse(e: NotHttp2) {
            end(e.begin.text, e)
            server.reset()
            if (e.begin != NotHttp2.Begin.HTTP_1) return caller.reset()
            caller.channel.writeAndFlush(Unpooled.copiedBuffer(HTTP_1_ANSWER, Charsets.UTF_8))
            caller.finish()
        }

        override fun channelReadComplete(context: ChannelHandlerContext) {
            other.channel.flush()
        }

        override fun channelWritabilityChanged(context: ChannelHandlerContext) {
            if (!channel.isWritable || other.inputEnded || over) return
            if (reading || this === server) other.channel.config().isAutoRead = true
        }

        override fun userEventTriggered(
            context: ChannelHandlerContext,
            event: Any,
        ) {
            if (event !== ChannelInputShutdownEvent.INSTANCE) return
            inputEnded = true
            if (over) return closeIfDone()
            passage.end()
            if (this === server && !other.inputEnded) {
                // No server has said anything before.
                if (received == 0L) write(caller, Http2.emptySettings())
                val text = "$serverName has closed the connection"
                farewell = farewell ?: Http2.goAway(Http2Error.NO_ERROR, text)
                sayFarewell()
            }
            other.finish()
            expectTheOther()
            closeIfDone()
        }

        override fun exceptionCaught(
            context: ChannelHandlerContext,
            cause: Throwable,
        ) {
            if (failure == null) failure = cause
        }

        override fun channelInactive(context: ChannelHandlerContext) = lost()

        /** The channel has ended, in whatever way. */
        fun lost() {
            if (over) return
            // Each has said that it ends; the other's last bytes may be on their way.
            if (inputEnded && other.inputEnded) {
                end("the connection has ended", null)
                other.finish()
            } else if (this === server) {
                val why = failure?.message ?: "the connection was reset"
                giveUp("$serverName is lost: $why", failure)
            } else {
                end("the caller is gone", failure)
                other.reset()
            }
        }

        /** Ends this side behind all that was written. */
        fun finish() {
            if (!channel.isActive) return
            if (over) {
                // To see its end, and no longer than for so long.
                if (!inputEnded) channel.config().isAutoRead = true
                val timer =
                    loop.schedule(
                        { reset() },
                        FAREWELL.inWholeMilliseconds,
                        TimeUnit.MILLISECONDS,
                    )
                channel.closeFuture().addListener { timer.cancel(false) }
            }
            // A socket drops what is pending when its output is shut down.
            channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(
                ChannelFutureListener {
                    channel.shutdownOutput().addListener(
                        ChannelFutureListener {
                            outputEnded = true
                            closeIfDone()
                        },
                    )
                },
            )
        }

        fun reset() = end.reset()

        private fun closeIfDone() {
            if (!inputEnded || !outputEnded) return
            if (over) {
                channel.close()
            } else if (other.inputEnded && other.outputEnded) {
                end("the connection has ended", null)
                channel.close()
                other.channel.close()
            }
        }
    }

    companion object {
        /** How long there may be no sign of life where one is due. */
        val PATIENCE: Duration = 30.seconds

        /** How long a caller may take to read what was said at the end, and to end, too. */
        private val FAREWELL = 10.seconds

        private const val HTTP_1_BODY =
            "This is a door to a gRPC peer: it takes HTTP/2 with prior knowledge, in plaintext.\n"
        private val HTTP_1_ANSWER =
            "HTTP/1.1 505 HTTP Version Not Supported\r\nContent-Type: text/plain\r\n" +
                "Content-Length: ${HTTP_1_BODY.length}\r\nConnection: close\r\n\r\n$HTTP_1_BODY"
    }
}
