package io.grpcstream.samples.peercurl.doors

import io.grpc.Status
import io.grpcstream.PeerAuthorizer
import io.grpcstream.libp2p.Refusal
import io.grpcstream.libp2p.Stream
import io.grpcstream.libp2p.StreamHandler
import io.netty.channel.ChannelHandlerContext
import io.netty.channel.ChannelInboundHandlerAdapter
import kotlin.time.Duration

/**
 * A door for peers to a gRPC server that listens on TCP, in whatever language: serve a protocol
 * with it ([io.grpcstream.libp2p.Host.handle]). Each stream gets a connection of its own to the
 * [target], on the stream's event loop, and what is sent passes through; only the headers of
 * requests are written anew, with the peer id that the caller has proven as `x-libp2p-peer-id`, in
 * place of whatever they said under that name.
 *
 * So it is no proxy of calls, neither by messages, which would have to repeat all that gRPC says
 * beside them (deadlines, compression, details of statuses), nor by frames between two HTTP/2
 * connections, which would have to hand through windows, settings and ends: caller and server have
 * *one* HTTP/2 connection, with its flow control from end to end, and the door looks for the only
 * frames in it that it has to change. What it keeps of a connection is the HPACK table of the
 * requests' headers and one header block, each bounded.
 *
 * Besides, it keeps callers from what costs the server most and them least: headers of more than 64
 * KiB, and calls that are reset as fast as they are made. They lose the stream, with a GOAWAY that
 * says why.
 *
 * @param authorizer which peers may use it; others are answered `PERMISSION_DENIED`
 * @param maxConnections of all peers at a time, beside what the host's limits grant each of them;
 *   others are answered `RESOURCE_EXHAUSTED`
 * @param showCalls whether [tell] hears of calls
 * @param tell hears what happens, on event loops: it must not block
 */
public class ExposeDoor(
    private val target: TcpTarget,
    private val authorizer: PeerAuthorizer = PeerAuthorizer { _, _ -> true },
    maxConnections: Int = DEFAULT_MAX_CONNECTIONS,
    showCalls: Boolean = false,
    private val tell: (DoorEvent) -> Unit = {},
) : StreamHandler {
    private val passing = Passing(maxConnections, showCalls, tell)

    override fun onStream(stream: Stream) {
        val peer = stream.remotePeer()
        val from = peer.toString()
        val caller = SpliceEnd.of(stream).prepare()
        if (!authorizer.allows(peer, stream.protocol())) {
            val denied = "peer $peer is not allowed to use ${stream.protocol()}"
            stream.refused(Refusal.NOT_AUTHORIZED, denied)
            return passing.refuse(caller, from, Status.PERMISSION_DENIED.withDescription(denied))
        }
        val place = passing.enter(from) ?: return passing.refuse(caller, from, passing.full())
        val waiting = Waiting()
        stream.channel().pipeline().addLast(waiting)
        target.connect(stream.channel().eventLoop()).whenComplete { socket, failure ->
            waiting.leave()
            if (failure == null) {
                val server = SpliceEnd.of(socket).prepare()
                place.splice(caller, server, "$SERVER, $target,", PeerIdHeader(peer))
            } else {
                place.leave()
                val text = "$SERVER, $target, is not reached: ${failure.message}"
                passing.refuse(caller, from, Status.UNAVAILABLE.withDescription(text))
            }
        }
    }

    /** Takes nobody in, lets calls in flight have [grace] to end, and cuts what is left then. */
    public suspend fun shutdown(grace: Duration): Unit = passing.shutdown(CLOSING, grace)

    /** The end of a stream that still waits for its server; it is seen when that has come. */
    private class Waiting : ChannelInboundHandlerAdapter() {
        private var context: ChannelHandlerContext? = null

        override fun handlerAdded(context: ChannelHandlerContext) {
            this.context = context
        }

        /** On the event loop, on which it was added. */
        fun leave() {
            context?.let { if (!it.isRemoved) it.pipeline().remove(this) }
        }

        override fun exceptionCaught(
            context: ChannelHandlerContext,
            cause: Throwable,
        ) = Unit
    }

    public companion object {
        /** As many inbound streams as a host has, unless it has much memory. */
        public const val DEFAULT_MAX_CONNECTIONS: Int = 1_024

        private const val SERVER = "the server behind this peer"
        private const val CLOSING = "this peer is being shut down"
    }
}
