package io.grpcstream.samples.replicas

import io.grpc.ManagedChannel
import io.grpcstream.greeter.GreeterGrpc
import io.grpcstream.kotlin.peerChannel
import io.grpcstream.libp2p.Host
import io.grpcstream.libp2p.Multiaddr
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/**
 * A channel that spreads calls evenly over [replicas], asks for their health, and lets those rest whose
 * calls fail. Calls end after [timeout].
 *
 * @param retries whether calls that fail with `UNAVAILABLE` are made again, at most three times. Calls
 *   that no replica has seen gRPC makes again in any case.
 */
fun Host.greeters(
    replicas: List<Multiaddr>,
    retries: Boolean,
    timeout: Duration = 30.seconds,
): ManagedChannel {
    val calls =
        buildMap {
            put("name", listOf(mapOf("service" to GreeterGrpc.SERVICE_NAME)))
            put("timeout", "${timeout.inWholeMilliseconds / 1e3}s")
            if (retries) put("retryPolicy", RETRIES)
        }
    return peerChannel("libp2p:${replicas.joinToString(",")}?protocol=$PROTOCOL") {
        defaultServiceConfig(
            mapOf(
                "methodConfig" to listOf(calls),
                "healthCheckConfig" to mapOf("serviceName" to GreeterGrpc.SERVICE_NAME),
                "loadBalancingConfig" to
                    listOf(mapOf("outlier_detection_experimental" to OUTLIERS)),
            ),
        )
    }
}

private val RETRIES =
    mapOf(
        "maxAttempts" to 4.0,
        "initialBackoff" to "0.05s",
        "maxBackoff" to "1s",
        "backoffMultiplier" to 2.0,
        "retryableStatusCodes" to listOf("UNAVAILABLE"),
    )

/** Of those that fail half of their calls in a second, one rests for 3 s, then longer each time. */
private val OUTLIERS =
    mapOf(
        "interval" to "1s",
        "baseEjectionTime" to "3s",
        "maxEjectionPercent" to 34.0,
        "failurePercentageEjection" to
            mapOf(
                "threshold" to 50.0,
                "enforcementPercentage" to 100.0,
                "minimumHosts" to 2.0,
                "requestVolume" to 20.0,
            ),
        "childPolicy" to listOf(mapOf("round_robin" to emptyMap<String, Any>())),
    )
