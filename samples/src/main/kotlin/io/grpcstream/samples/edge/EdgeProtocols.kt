package io.grpcstream.samples.edge

/** The libp2p protocol ids of Edge. Each has a service, and a GrpcStream, of its own. */
object EdgeProtocols {
    /** `v1.Identity`: who are you, and on which chain? */
    const val IDENTITY: String = "/id/0.1"

    /** `v1.Discovery`: whom do you know? */
    const val DISCOVERY: String = "/disc/0.1"

    /** `v1.SyncPeer`: how far are you? */
    const val SYNCER: String = "/syncer/0.2"
}
