package io.grpcstream.samples.guide

import io.grpcstream.GrpcPeer
import io.grpcstream.GrpcStream
import io.grpcstream.kotlin.awaitTermination
import io.grpcstream.kotlin.grpcStream
import io.grpcstream.kotlin.serveIn
import io.grpcstream.kotlin.shutdownAndAwait
import io.grpcstream.kotlin.withGrpcPeer
import io.grpcstream.libp2p.Host
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlin.time.Duration.Companion.seconds

// guide: shutting-down/block
suspend fun <T> asPeer(block: suspend (GrpcPeer) -> T): T =
    withGrpcPeer({
        listen("/memory/0")
        serve { service(Greeter()) }
    }) { peer -> block(peer) } // the peer ends with the block, whatever ends that
// end

// guide: shutting-down/scope
fun serveIn(
    scope: CoroutineScope, // when it is cancelled, calls in flight have 20 s
    host: Host,
): Job {
    val grpc = grpcStream { service(Greeter()) }
    host.handle("/greeter/1.0.0", grpc.handler())
    return grpc.serveIn(scope, grace = 20.seconds)
}
// end

// guide: shutting-down/hand
suspend fun endBoth(
    grpc: GrpcStream,
    host: Host,
) {
    grpc.shutdownAndAwait(20.seconds) // any order will do
    host.shutdownAndAwait(20.seconds)
    grpc.awaitTermination() // so it is over, whoever has ended it
}
// end
