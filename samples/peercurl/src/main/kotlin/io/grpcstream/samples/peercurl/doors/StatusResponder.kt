package io.grpcstream.samples.peercurl.doors

import io.grpc.Status
import io.netty.channel.Channel
import io.netty.channel.ChannelHandlerContext
import io.netty.channel.ChannelInboundHandlerAdapter
import io.netty.channel.ChannelOption
import io.netty.handler.codec.http2.DefaultHttp2GoAwayFrame
import io.netty.handler.codec.http2.DefaultHttp2Headers
import io.netty.handler.codec.http2.DefaultHttp2HeadersFrame
import io.netty.handler.codec.http2.DefaultHttp2ResetFrame
import io.netty.handler.codec.http2.Http2Error
import io.netty.handler.codec.http2.Http2FrameCodecBuilder
import io.netty.handler.codec.http2.Http2HeadersFrame
import io.netty.handler.codec.http2.Http2Settings
import io.netty.util.ReferenceCountUtil
import java.util.concurrent.TimeUnit

/**
 * Answers the calls of one HTTP/2 connection by a [status], where there is no server to answer
 * them: so a gRPC client says why, and tries again when it is next asked, on a connection of its
 * own, since this one ends with its first answers.
 */
internal class StatusResponder private constructor(
    private val status: Status,
) : ChannelInboundHandlerAdapter() {
    private var answered = false

    override fun handlerAdded(context: ChannelHandlerContext) {
        closeIn(context, MAX_SECONDS)
    }

    private fun closeIn(
        context: ChannelHandlerContext,
        seconds: Long,
    ) {
        val timer = context.executor().schedule({ context.close() }, seconds, TimeUnit.SECONDS)
        context.channel().closeFuture().addListener { timer.cancel(false) }
    }

    override fun channelRead(
        context: ChannelHandlerContext,
        message: Any,
    ) {
        // Of data nothing is given back to the flow-control window: nobody is to send more.
        if (message is Http2HeadersFrame) answer(context, message)
        ReferenceCountUtil.release(message)
    }

    private fun answer(
        context: ChannelHandlerContext,
        request: Http2HeadersFrame,
    ) {
        val trailers =
            DefaultHttp2Headers()
                .status("200")
                .add("content-type", "application/grpc")
                .add("grpc-status", status.code.value().toString())
                .add("grpc-message", GrpcMessage.encode(status.description.orEmpty()))
        context.write(DefaultHttp2HeadersFrame(trailers, true).stream(request.stream()))
        if (!request.isEndStream) { // RFC 9113, section 8.1: the rest of the request is not needed.
            context.write(DefaultHttp2ResetFrame(Http2Error.NO_ERROR).stream(request.stream()))
        }
        if (!answered) {
            answered = true
            val goAway =
                DefaultHttp2GoAwayFrame(
                    Http2Error.NO_ERROR,
                    context.alloc().buffer().writeBytes(reason()),
                )
            // Calls that are on their way get their answer here, too.
            context.write(goAway.setExtraStreamIds(Int.MAX_VALUE))
            closeIn(context, CLOSE_SECONDS)
        }
        context.flush()
    }

    private fun reason() = status.description.orEmpty().toByteArray()

    override fun exceptionCaught(
        context: ChannelHandlerContext,
        cause: Throwable,
    ) {
        context.close()
    }

    companion object {
        /** How long a client that makes no call is waited for. */
        private const val MAX_SECONDS = 30L

        /** How long a client may keep the connection once it has its answer. */
        private const val CLOSE_SECONDS = 5L

        /** More than that at a time are not for somebody who gets no answer. */
        private const val MAX_CALLS = 100L
        private const val MAX_HEADERS = 64L shl 10

        /** Has [channel] answer with [status], and end. On its event loop. */
        fun answer(
            channel: Channel,
            status: Status,
        ) {
            val settings =
                Http2Settings
                    .defaultSettings()
                    .maxConcurrentStreams(
                        MAX_CALLS,
                    ).maxHeaderListSize(MAX_HEADERS)
            channel.pipeline().addLast(
                Http2FrameCodecBuilder
                    .forServer()
                    .initialSettings(settings)
                    .validateHeaders(false)
                    .gracefulShutdownTimeoutMillis(0)
                    .build(),
                StatusResponder(status),
            )
            channel.config().setOption(ChannelOption.ALLOW_HALF_CLOSURE, false)
            channel.config().isAutoRead = true
        }
    }
}
