package io.grpcstream.samples.peercurl

import io.grpcstream.GrpcPeer
import io.grpcstream.kotlin.withGrpcPeer
import io.grpcstream.libp2p.Connection
import io.grpcstream.libp2p.Multiaddr
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.future.await
import picocli.CommandLine.Mixin
import picocli.CommandLine.Parameters

/** A command whose first word is the address of a peer. */
internal abstract class DialingCommand : PeercurlCommand() {
    @Mixin
    lateinit var options: PeerOptions

    @Parameters(index = "0", paramLabel = "ADDRESS", description = ["The peer's multiaddr."])
    lateinit var target: Target

    /** Runs [block] with a host of the options, and ends it. */
    protected suspend fun <T> withPeer(block: suspend CoroutineScope.(GrpcPeer) -> T): T =
        withGrpcPeer({ options.host.configure(this) }) { block(it) }

    /** A connection to the peer, with progress shown while it is made. */
    protected suspend fun GrpcPeer.connect(): Connection =
        console.progress("connecting to $target …").use {
            val peer = target.peer
            if (peer == null) {
                host().connect(target.addresses.single()).await()
            } else {
                host().connect(peer, target.addresses).await()
            }
        }
}
