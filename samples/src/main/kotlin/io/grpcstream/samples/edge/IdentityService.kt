package io.grpcstream.samples.edge

import io.grpc.StatusException
import io.grpcstream.edge.IdentityGrpcKt.IdentityCoroutineImplBase
import io.grpcstream.edge.Status
import io.grpcstream.kotlin.currentPeer

/** Answers a Hello; a peer that is not one of ours is told why, and refused. */
internal class IdentityService(
    private val self: Introduction,
    private val neighbours: Neighbours,
) : IdentityCoroutineImplBase() {
    override suspend fun hello(request: Status): Status {
        val caller = currentPeer().peerId()
        try {
            self.check(request, caller)
        } catch (e: StatusException) {
            neighbours[caller].refuse(e.status)
            throw e
        }
        return self.message()
    }
}
