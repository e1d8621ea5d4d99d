package io.grpcstream.samples.edge

import io.grpc.Status
import io.grpc.StatusException
import io.grpcstream.edge.DiscoveryGrpcKt.DiscoveryCoroutineImplBase
import io.grpcstream.edge.FindPeersReq
import io.grpcstream.edge.FindPeersResp
import io.grpcstream.edge.findPeersResp
import io.grpcstream.kotlin.currentPeer
import io.grpcstream.libp2p.Multiaddr
import io.grpcstream.libp2p.PeerId
import java.security.MessageDigest
import java.util.Arrays

private val KEY = Regex("[A-Za-z0-9]*")

/**
 * Tells those that are introduced of the other peers that are.
 *
 * @param addresses where a peer can be reached, best first
 */
internal class DiscoveryService(
    private val neighbours: Neighbours,
    private val addresses: (PeerId) -> List<Multiaddr>,
) : DiscoveryCoroutineImplBase() {
    override suspend fun findPeers(request: FindPeersReq): FindPeersResp {
        if (request.count !in 1..EdgeLimits.PEERS) {
            throw invalid("asked for ${request.count} peers, allowed are 1 to ${EdgeLimits.PEERS}")
        }
        if (!KEY.matches(request.key)) {
            throw invalid("asked for peers near a key that is not of letters and digits")
        }
        val caller = neighbours[currentPeer().peerId()].introduced().peer
        val found =
            neighbours
                .staying()
                .filter { it != caller }
                .nearestFirst(request.key.ifEmpty { "$caller" })
                .mapNotNull { peer -> addresses(peer).firstOrNull()?.withPeerId(peer) }
                .take(request.count.toInt())
        return findPeersResp { nodes += found.map { "$it" } }
    }
}

private fun invalid(what: String) = StatusException(Status.INVALID_ARGUMENT.withDescription(what))

/** Kademlia's order: by the exclusive or of the SHA-256 hashes of the key and of the peer ids. */
private fun Iterable<PeerId>.nearestFirst(key: String): List<PeerId> {
    val target = sha256(key.encodeToByteArray())
    return map { it to (sha256(it.bytes()) xor target) }
        .sortedWith(compareBy(Arrays::compareUnsigned) { (_, distance) -> distance })
        .map { (peer, _) -> peer }
}

private infix fun ByteArray.xor(other: ByteArray) =
    ByteArray(size) { (this[it].toInt() xor other[it].toInt()).toByte() }

private fun sha256(bytes: ByteArray) = MessageDigest.getInstance("SHA-256").digest(bytes)
