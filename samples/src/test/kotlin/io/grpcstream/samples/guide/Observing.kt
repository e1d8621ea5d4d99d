package io.grpcstream.samples.guide

import io.grpcstream.GrpcPeer
import io.grpcstream.kotlin.grpcPeer
import io.grpcstream.libp2p.Connection
import io.grpcstream.libp2p.Host
import io.grpcstream.libp2p.HostObserver
import io.grpcstream.libp2p.PeerId
import io.grpcstream.opentelemetry.PeerTelemetry
import io.opentelemetry.api.OpenTelemetry
import java.time.Duration

// guide: observing/telemetry
fun observedPeer(openTelemetry: OpenTelemetry): GrpcPeer =
    grpcPeer {
        listen("/memory/0")
        install(PeerTelemetry.create(openTelemetry))
        serve {
            service(Greeter())
            mdc()
        }
    }
// end

// guide: observing/stats
fun inOneLine(host: Host): String =
    with(host.stats()) {
        "connections in $inboundConnections, out $outboundConnections, " +
            "streams in $inboundStreams, out $outboundStreams, refused $refusals"
    }
// end

// guide: observing/observer
class Counters(
    private val count: (String) -> Unit,
) : HostObserver {
    // On event loops: must be quick.
    override fun onConnected(connection: Connection) =
        count("connected by ${connection.security()}")

    override fun onDialed(
        peer: PeerId?,
        took: Duration,
        failure: Throwable?,
    ) = count(if (failure == null) "dialled" else "not reached")

    override fun onRoundTrip(
        connection: Connection,
        roundTrip: Duration,
    ) = count("round trip")
}

fun countedPeer(count: (String) -> Unit): GrpcPeer =
    grpcPeer {
        listen("/memory/0")
        host { observer(Counters(count)) }
        serve { service(Greeter()) }
    }
// end
