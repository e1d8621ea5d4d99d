package io.grpcstream.kotest

import io.grpcstream.GrpcStream
import io.grpcstream.kotlin.BuilderDsl
import io.grpcstream.libp2p.Host

/** What the peers of a test are made of. Without options they are bare hosts. */
@BuilderDsl
public class PeersBuilder internal constructor() {
    /** What a peer's [GrpcStream] handles, unless a test names other protocols. */
    public var protocol: String = GrpcStream.PROTOCOL

    /**
     * Whether each [GrpcStream] serves all streams; if not, they wait to be accepted
     * (`awaitConnection()` and its like). Default: it serves.
     */
    public var serve: Boolean = true

    private var hostOptions: Host.Builder.(index: Int) -> Unit = { }
    private var makeGrpc: (index: Int) -> GrpcStream? = { null }

    /**
     * Sets options of the peers' hosts, such as limits. A host listens at a free `/memory` address
     * and runs one event loop unless this says otherwise.
     *
     * @param configure called once a peer, with its index from 0 on
     */
    public fun host(configure: (@BuilderDsl Host.Builder).(index: Int) -> Unit) {
        hostOptions = configure
    }

    /**
     * Gives peers a [GrpcStream], which their hosts use for [protocol].
     *
     * @param make called once a peer, with its index from 0 on; null for a peer without one. Each
     *   needs its own, as it is shut down with its peer.
     */
    public fun grpc(make: (index: Int) -> GrpcStream?) {
        makeGrpc = make
    }

    /** Makes [count] peers whose hosts are not started yet: they hold no thread so far. */
    internal fun build(count: Int): Peers {
        require(count > 0) { "$count peers were asked for, at least 1 is needed" }
        return Peers(List(count, ::peer))
    }

    private fun peer(index: Int): Peer {
        val host =
            Host
                .builder()
                .listen("/memory/0")
                .threads(1)
                .apply { hostOptions(index) }
                .build()
        val grpc = makeGrpc(index)
        if (grpc != null) {
            host.handle(protocol, grpc.handler())
            if (serve) grpc.serve()
        }
        return Peer(index, host, grpc, protocol)
    }
}
