package io.grpcstream.samples.shop.peer

import io.grpc.health.v1.HealthCheckResponse.ServingStatus
import io.grpc.protobuf.services.HealthStatusManager
import kotlinx.coroutines.delay
import org.slf4j.LoggerFactory
import kotlin.time.Duration.Companion.milliseconds

/** Tells those who ask for the health of [service] whether its store is there, until it is cancelled. */
suspend fun HealthStatusManager.follow(
    service: String,
    storeIsThere: suspend () -> Boolean,
) {
    val log = LoggerFactory.getLogger("io.grpcstream.samples.shop.health")
    var before: ServingStatus? = null
    while (true) {
        val now = if (storeIsThere()) ServingStatus.SERVING else ServingStatus.NOT_SERVING
        setStatus(service, now)
        setStatus(HealthStatusManager.SERVICE_NAME_ALL_SERVICES, now)
        if (before != null && now != before) log.warn("{} is {}", service, now)
        before = now
        delay(LOOK_AGAIN)
    }
}

private val LOOK_AGAIN = 500.milliseconds
