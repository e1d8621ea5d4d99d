package io.grpcstream.samples.edge

import com.google.protobuf.Empty
import io.grpcstream.edge.SyncPeerGrpcKt.SyncPeerCoroutineImplBase
import io.grpcstream.edge.SyncPeerStatus
import io.grpcstream.edge.syncPeerStatus
import io.grpcstream.kotlin.currentPeer

/** Says how far this peer is: it holds no blocks, so nobody asks it for any. */
internal class SyncService(
    private val neighbours: Neighbours,
) : SyncPeerCoroutineImplBase() {
    override suspend fun getStatus(request: Empty): SyncPeerStatus {
        neighbours[currentPeer().peerId()].introduced()
        return syncPeerStatus { number = 0 }
    }
}
