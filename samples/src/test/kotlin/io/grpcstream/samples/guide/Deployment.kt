package io.grpcstream.samples.guide

import io.grpc.Grpc
import io.grpc.InsecureServerCredentials
import io.grpc.Server
import io.grpc.protobuf.services.HealthStatusManager
import io.grpcstream.GrpcPeer
import io.grpcstream.kotlin.grpcPeer
import io.grpcstream.libp2p.PeerId
import io.grpcstream.libp2p.crypto.PrivateKey
import java.nio.file.Path
import kotlin.io.path.readBytes

// guide: deployment/key
fun peerIdOf(keyFile: Path): PeerId = PeerId.of(PrivateKey.loadOrCreate(keyFile).publicKey())

/** Of a file that a group may read, which loadOrCreate refuses. */
fun keyOf(secret: Path): PrivateKey = PrivateKey.unmarshal(secret.readBytes())
// end

// guide: deployment/probe
fun peerToProbe(
    health: HealthStatusManager,
    address: String,
): GrpcPeer =
    grpcPeer {
        listen(address)
        serve {
            service(Greeter())
            service(health.healthService) // for peers, instead of health()
        }
    }

fun probePort(
    health: HealthStatusManager,
    port: Int,
): Server =
    Grpc
        .newServerBuilderForPort(port, InsecureServerCredentials.create())
        .addService(health.healthService) // the same for the probe, and nothing else
        .build()
        .start()
// end
