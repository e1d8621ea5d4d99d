package io.grpcstream.samples.peercurl.doors

import io.grpcstream.libp2p.Stream
import io.netty.channel.ChannelOption
import io.netty.channel.WriteBufferWaterMark
import io.netty.channel.socket.DuplexChannel

/**
 * One of the two channels of a splice, and how it is cut off so that the other side sees a reset.
 */
internal class SpliceEnd(
    val channel: DuplexChannel,
    val reset: () -> Unit,
) {
    /**
     * Has the channel wait for its splice: it reads nothing before that. On its event loop, or not
     * yet registered.
     */
    fun prepare(): SpliceEnd {
        channel.config().apply {
            isAutoRead = false
            setOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
            setOption(ChannelOption.WRITE_BUFFER_WATER_MARK, WATER_MARK)
        }
        return this
    }

    companion object {
        /** What waits for a slow reader in the process, beside what one read brings. */
        private val WATER_MARK = WriteBufferWaterMark(64 shl 10, 256 shl 10)

        fun of(stream: Stream): SpliceEnd =
            SpliceEnd(stream.channel() as DuplexChannel, stream::reset)

        fun of(socket: DuplexChannel): SpliceEnd =
            SpliceEnd(socket) {
                if (socket.isOpen) socket.config().setOption(ChannelOption.SO_LINGER, 0)
                if (socket.isRegistered) socket.close() else socket.unsafe().closeForcibly()
            }
    }
}
