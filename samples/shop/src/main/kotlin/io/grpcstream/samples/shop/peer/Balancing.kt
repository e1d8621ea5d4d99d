package io.grpcstream.samples.shop.peer

/**
 * How a service of the shop is called, as gRPC's service config: in turn at all of its peers that say
 * that they serve, and not at those whose calls fail. Every call of the shop is idempotent, so
 * one that has failed for want of a peer is made again.
 */
fun serviceConfig(service: String): Map<String, Any> =
    mapOf(
        "methodConfig" to
            listOf(
                mapOf(
                    "name" to listOf(mapOf("service" to service)),
                    "timeout" to "10s",
                    "retryPolicy" to RETRIES,
                ),
            ),
        "healthCheckConfig" to mapOf("serviceName" to service),
        "loadBalancingConfig" to listOf(mapOf("outlier_detection_experimental" to OUTLIERS)),
    )

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
