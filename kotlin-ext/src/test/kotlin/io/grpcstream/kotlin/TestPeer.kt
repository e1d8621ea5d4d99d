package io.grpcstream.kotlin

import io.grpc.ManagedChannel
import io.grpcstream.GrpcStream
import io.grpcstream.libp2p.Host
import io.grpcstream.libp2p.PeerId
import io.grpcstream.libp2p.Stream
import java.util.concurrent.ConcurrentLinkedQueue
import kotlin.time.Duration

/** A host that listens in memory, what takes its streams of [PROTOCOL], and its channels to others. */
internal class TestPeer(
    val grpc: GrpcStream?,
) {
    val host: Host =
        Host
            .builder()
            .listen("/memory/0")
            .threads(1)
            .build()
    val peerId: PeerId get() = host.peerId()
    private val channels = ConcurrentLinkedQueue<ManagedChannel>()

    suspend fun start() {
        grpc?.let { host.handle(PROTOCOL, it.handler()) }
        host.startAndAwait()
    }

    suspend fun open(other: TestPeer): Stream =
        host.open(other.host.listenAddresses().first(), PROTOCOL)

    suspend fun channelTo(other: TestPeer): ManagedChannel =
        GrpcStream.wrapClient(open(other)).also { channels += it }

    suspend fun end() {
        channels.forEach { it.shutdownNow() }
        grpc?.shutdownAndAwait(Duration.ZERO)
        host.shutdownAndAwait(Duration.ZERO)
    }
}
