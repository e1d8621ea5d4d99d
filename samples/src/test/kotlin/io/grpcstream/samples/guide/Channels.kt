package io.grpcstream.samples.guide

import com.google.protobuf.MessageLite
import io.grpc.CallCredentials
import io.grpc.ClientInterceptor
import io.grpc.ConnectivityState
import io.grpc.Grpc
import io.grpc.ManagedChannel
import io.grpc.Metadata
import io.grpc.protobuf.services.BinaryLogSink
import io.grpc.protobuf.services.BinaryLogs
import io.grpcstream.GrpcPeer
import io.grpcstream.PeerChannelCredentials
import io.grpcstream.PeerServerBuilder
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineStub
import io.grpcstream.kotlin.connectivity
import io.grpcstream.kotlin.peerChannel
import io.grpcstream.libp2p.Host
import io.grpcstream.libp2p.Multiaddr
import io.grpcstream.libp2p.PeerId
import kotlinx.coroutines.flow.first
import java.util.concurrent.Executor
import java.util.concurrent.TimeUnit
import kotlin.time.Duration
import kotlin.time.toJavaDuration

// guide: channels/one
fun channelsTo(
    peer: GrpcPeer,
    address: Multiaddr, // ends in /p2p/<peer id>
    other: PeerId,
): List<ManagedChannel> =
    listOf(
        peer.channel("libp2p:$address"),
        peer.channel(address, "/greeter/1.0.0"),
        peer.channel(other, "/greeter/1.0.0"), // wherever it is
    )
// end

// guide: channels/options
fun channelOfItsOwn(
    host: Host,
    target: String,
    forEachCall: ClientInterceptor,
): ManagedChannel =
    host.peerChannel(target) {
        intercept(forEachCall)
        idleTimeout(5, TimeUnit.MINUTES)
        keepAliveTime(1, TimeUnit.MINUTES)
        maxInboundMessageSize(16 * 1024 * 1024)
        userAgent("greeter-app/1.0")
    }
// end

// guide: channels/several
fun channelToAll(
    host: Host,
    replicas: List<Multiaddr>,
): ManagedChannel =
    host.peerChannel("libp2p:" + replicas.joinToString(",")) {
        defaultLoadBalancingPolicy("round_robin")
    }
// end

// guide: channels/health
fun channelToHealthy(
    host: Host,
    replicas: List<Multiaddr>,
): ManagedChannel =
    host.peerChannel("libp2p:" + replicas.joinToString(",")) {
        defaultLoadBalancingPolicy("round_robin")
        defaultServiceConfig(
            mapOf("healthCheckConfig" to mapOf("serviceName" to "greeter.Greeter")),
        )
    }
// end

// guide: channels/outliers
fun channelToReliable(
    host: Host,
    replicas: List<Multiaddr>,
): ManagedChannel {
    val outliers =
        mapOf(
            "interval" to "1s", // how often they are judged
            "baseEjectionTime" to "30s", // for so long the first time, longer each time after
            "maxEjectionPercent" to 50.0,
            "failurePercentageEjection" to
                mapOf("threshold" to 50.0, "minimumHosts" to 2.0, "requestVolume" to 20.0),
            "childPolicy" to listOf(mapOf("round_robin" to emptyMap<String, Any>())),
        )
    return host.peerChannel("libp2p:" + replicas.joinToString(",")) {
        defaultServiceConfig(
            mapOf(
                "loadBalancingConfig" to
                    listOf(mapOf("outlier_detection_experimental" to outliers)),
            ),
        )
    }
}
// end

// guide: channels/retries
fun greeterMethods(vararg settings: Pair<String, Any>): Map<String, Any> =
    mapOf(
        "methodConfig" to
            listOf(mapOf("name" to listOf(mapOf("service" to "greeter.Greeter"))) + settings),
    )

val RETRIES =
    greeterMethods(
        "timeout" to "20s",
        "retryPolicy" to
            mapOf(
                "maxAttempts" to 4.0,
                "initialBackoff" to "0.05s",
                "maxBackoff" to "1s",
                "backoffMultiplier" to 2.0,
                "retryableStatusCodes" to listOf("UNAVAILABLE"),
            ),
    )

val HEDGING =
    greeterMethods(
        "timeout" to "5s",
        "hedgingPolicy" to
            mapOf(
                "maxAttempts" to 2.0,
                "hedgingDelay" to "0.1s", // then a second peer is asked, too
                "nonFatalStatusCodes" to listOf("UNAVAILABLE"),
            ),
    )

fun channelThatTriesAgain(
    host: Host,
    target: String,
    methods: Map<String, Any> = RETRIES,
): ManagedChannel =
    host.peerChannel(target) {
        defaultLoadBalancingPolicy("round_robin")
        defaultServiceConfig(methods)
    }
// end

// guide: channels/state
suspend fun awaitReady(channel: ManagedChannel) {
    channel.getState(true) // true: connect, if it is idle
    channel.connectivity().first { it == ConnectivityState.READY }
}
// end

// guide: channels/nudge
fun nudge(channel: ManagedChannel) {
    channel.resetConnectBackoff() // try again now: the network is back
    channel.enterIdle() // close the streams; the next call opens them again
}
// end

// guide: channels/age
fun agingServer(
    host: Host,
    age: Duration,
) = PeerServerBuilder
    .forProtocol(host, "/greeter/1.0.0")
    .addService(Greeter())
    .maxConnectionAge(age.toJavaDuration().toMillis(), TimeUnit.MILLISECONDS)
    .maxConnectionAgeGrace(1, TimeUnit.MINUTES)
    .build()
// end

// guide: channels/token
val TOKEN: Metadata.Key<String> =
    Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER)

class Bearer(
    private val token: () -> String,
) : CallCredentials() {
    override fun applyRequestMetadata(
        request: RequestInfo,
        executor: Executor,
        applier: MetadataApplier,
    ) {
        executor.execute {
            // where it may block, to fetch a new token
            applier.apply(Metadata().apply { put(TOKEN, "Bearer ${token()}") })
        }
    }
}

fun withToken(
    greeter: GreeterCoroutineStub,
    token: () -> String,
): GreeterCoroutineStub = greeter.withCallCredentials(Bearer(token))
// end

// guide: channels/grpc
fun channelByGrpcAlone(
    host: Host,
    target: String,
): ManagedChannel = Grpc.newChannelBuilder(target, PeerChannelCredentials.create(host)).build()
// end

// guide: channels/binlog
fun loggedChannel(
    host: Host,
    target: String,
    write: (MessageLite) -> Unit,
): ManagedChannel {
    val sink =
        object : BinaryLogSink {
            override fun write(entry: MessageLite) = write(entry)

            override fun close() = Unit
        }
    return host.peerChannel(target) {
        setBinaryLog(BinaryLogs.createBinaryLog(sink, "greeter.Greeter/*"))
    }
}
// end
