package io.grpcstream.samples.guide

import io.grpc.BindableService
import io.grpc.ServerCall
import io.grpcstream.GrpcPeer
import io.grpcstream.PeerContext
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineImplBase
import io.grpcstream.greeter.HelloReply
import io.grpcstream.greeter.HelloRequest
import io.grpcstream.greeter.helloReply
import io.grpcstream.kotlin.currentPeer
import io.grpcstream.kotlin.grpcPeer
import io.grpcstream.libp2p.Multiaddr
import io.grpcstream.libp2p.PeerId
import io.grpcstream.libp2p.crypto.PrivateKey
import java.nio.file.Path

// guide: identity/keep
fun keptPeer(
    keyFile: Path,
    service: BindableService,
): GrpcPeer =
    grpcPeer {
        identity(keyFile) // made if it is not there, readable by its owner only
        listen("/ip4/127.0.0.1/tcp/0")
        serve { service(service) }
    }
// end

// guide: identity/who
class WhoCalls : GreeterCoroutineImplBase() {
    override suspend fun sayHello(request: HelloRequest): HelloReply {
        val caller: PeerContext = currentPeer()
        return helloReply {
            message = "${caller.peerId()} from ${caller.remoteAddress()} by ${caller.protocol()}"
        }
    }
}
// end

// guide: identity/interceptor
fun callerOf(call: ServerCall<*, *>): PeerId = PeerContext.of(call).peerId()
// end

// guide: identity/ids
fun peerIds() {
    val key = PrivateKey.generateEd25519()
    val id = PeerId.of(key.publicKey()) // what a peer with this key proves to be
    check(PeerId.parse(id.toString()) == id)

    val address = Multiaddr.parse("/ip4/10.0.0.1/tcp/4001").withPeerId(id)
    check(address.toString() == "/ip4/10.0.0.1/tcp/4001/p2p/$id")
    check(address.peerId().get() == id)
}
// end
