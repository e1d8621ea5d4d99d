package io.grpcstream.samples.guide

import io.grpcstream.GrpcPeer
import io.grpcstream.GrpcStream
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineStub
import io.grpcstream.greeter.HelloReply
import io.grpcstream.greeter.helloRequest
import io.grpcstream.kotlin.ConnectionEvent
import io.grpcstream.kotlin.awaitConnection
import io.grpcstream.kotlin.connectionEvents
import io.grpcstream.kotlin.connections
import io.grpcstream.kotlin.grpcPeer
import io.grpcstream.kotlin.open
import io.grpcstream.kotlin.serveAndAwait
import io.grpcstream.kotlin.startAndAwait
import io.grpcstream.kotlin.use
import io.grpcstream.libp2p.Host
import io.grpcstream.libp2p.Multiaddr
import io.grpcstream.libp2p.PeerId
import io.grpcstream.libp2p.Registration
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.filterIsInstance
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.launch
import java.nio.file.Path

// guide: nat/device
class Device(
    keyFile: Path,
    private val hub: Multiaddr, // where the hub is, and who
) {
    private val peer =
        grpcPeer {
            identity(keyFile) // no listen(…): it dials only
            serve { service(Greeter()) }
        }

    suspend fun start(): Registration {
        peer.startAndAwait()
        return peer.host().keepConnected(hub.peerId().get(), listOf(hub))
    }

    val peerId: PeerId get() = peer.peerId()

    fun close() = peer.close()
}
// end

// guide: nat/hub
suspend fun callDevice(
    hub: GrpcPeer,
    device: PeerId,
): HelloReply {
    val greeter = GreeterCoroutineStub(hub.channel(device, GrpcStream.PROTOCOL))
    // It is called at once when it is there, and else when it comes.
    return greeter.withWaitForReady().sayHello(helloRequest { name = "device" })
}
// end

// guide: nat/events
fun whoComes(host: Host): Flow<PeerId> =
    host
        .connectionEvents()
        .filterIsInstance<ConnectionEvent.Opened>()
        .map { it.connection.remotePeer() }
// end

// guide: nat/accept
suspend fun serveFriends(
    grpc: GrpcStream, // whose serve() nobody calls
    friends: Set<PeerId>,
) = coroutineScope {
    grpc.connections().collect { connection ->
        if (connection.remotePeer() in friends) {
            launch { connection.serveAndAwait() } // until its stream ends
        } else {
            connection.refuse()
        }
    }
}
// end

// guide: nat/turn
suspend fun offer(
    device: Host,
    hub: PeerId,
    grpc: GrpcStream,
) {
    grpc.serve(device.open(hub, "/greeter-of-yours/1.0.0")) // we open it, and serve on it
}

suspend fun callNext(grpc: GrpcStream): HelloReply =
    grpc.awaitConnection().client().use { channel ->
        // they have opened it, and we call
        GreeterCoroutineStub(channel).sayHello(helloRequest { name = "hub" })
    }
// end
