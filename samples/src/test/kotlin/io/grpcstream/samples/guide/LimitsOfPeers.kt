package io.grpcstream.samples.guide

import io.grpcstream.CallLimits
import io.grpcstream.GrpcPeer
import io.grpcstream.kotlin.grpcPeer
import io.grpcstream.libp2p.ConnectionManager
import io.grpcstream.libp2p.Host
import io.grpcstream.libp2p.Limits
import io.grpcstream.libp2p.Multiaddr
import io.grpcstream.libp2p.PeerId
import io.grpcstream.libp2p.Refusal
import io.grpcstream.libp2p.Registration
import java.time.Duration

// guide: limits/host
fun limitedPeer(): GrpcPeer =
    grpcPeer {
        listen("/memory/0")
        host {
            limits(
                Limits
                    .builder()
                    .connections(5_000)
                    .inboundStreamsPerPeer(1_000)
                    .dialTimeout(Duration.ofSeconds(5))
                    .keepAliveInterval(Duration.ofSeconds(15))
                    .build(),
            )
        }
    }
// end

// guide: limits/refusals
fun turnedAway(host: Host): Map<Refusal, Long> = host.stats().refusals()
// end

// guide: limits/nat
val TEN_THOUSAND_DEVICES: Limits =
    Limits
        .builder()
        .connections(20_000)
        .connectionsPerAddress(10_000)
        .pendingInboundConnections(4_096) // an eighth of them may come from one address at a time
        .inboundStreams(20_000)
        .build()
// end

// guide: limits/calls
fun peerWithSmallCalls(): GrpcPeer =
    grpcPeer {
        listen("/memory/0")
        serve {
            service(Greeter())
            callLimits = // of calls that are served
                CallLimits
                    .builder()
                    .memory(64L * 1024 * 1024)
                    .resets(10_000)
                    .build()
        }
        callLimits(CallLimits.builder().memory(64L * 1024 * 1024).build()) // of calls that it makes
    }
// end

// guide: limits/manager
fun tidyPeer(): GrpcPeer =
    grpcPeer {
        listen("/memory/0")
        host {
            connectionManager(
                ConnectionManager
                    .builder()
                    .waterMarks(600, 900) // above 900, close unused ones down to 600
                    .idleTimeout(Duration.ofMinutes(10)) // and those unused for so long
                    .build(),
            )
        }
    }
// end

// guide: limits/keep
fun keepTo(
    host: Host,
    hub: Multiaddr,
    customer: PeerId,
): Registration {
    host.protect(customer, "customers") // never closed by the host itself
    return host.keepConnected(hub.peerId().get(), listOf(hub)) // redialled until this is closed
}
// end
