package io.grpcstream.samples.replicas

import io.grpc.CallOptions
import io.grpc.Channel
import io.grpc.ClientCall
import io.grpc.ClientInterceptor
import io.grpc.Grpc
import io.grpc.MethodDescriptor
import io.grpcstream.PeerAddress
import io.grpcstream.libp2p.PeerId

/** Tells which peer answers the one call that is made with it: by the id that the peer has proven. */
internal class Answerer : ClientInterceptor {
    private lateinit var call: ClientCall<*, *>

    /** The peer, once it has answered. */
    fun peer(): PeerId = (call.attributes[Grpc.TRANSPORT_ATTR_REMOTE_ADDR] as PeerAddress).peerId()

    override fun <Q, R> interceptCall(
        method: MethodDescriptor<Q, R>,
        options: CallOptions,
        next: Channel,
    ): ClientCall<Q, R> = next.newCall(method, options).also { call = it }
}
