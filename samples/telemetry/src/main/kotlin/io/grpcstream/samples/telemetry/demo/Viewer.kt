package io.grpcstream.samples.telemetry.demo

import io.grpc.Channel
import io.grpcstream.samples.telemetry.Settings
import io.grpcstream.samples.telemetry.toMessage
import io.grpcstream.telemetry.DashboardGrpcKt.DashboardCoroutineStub
import io.grpcstream.telemetry.DeviceStatus
import io.grpcstream.telemetry.FleetSummary
import io.grpcstream.telemetry.configureRequest
import io.grpcstream.telemetry.watchRequest
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.first
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

/** What a viewer sees, as of the last update. */
class Seen(
    val devices: Map<String, DeviceStatus> = emptyMap(),
    val summary: FleetSummary = FleetSummary.getDefaultInstance(),
)

/** Somebody who watches the devices over [channel], and configures them. */
class Viewer(
    channel: Channel,
) {
    private val dashboard = DashboardCoroutineStub(channel).withWaitForReady()
    private val last = MutableStateFlow(Seen())

    /** What is to be seen. */
    val seen: StateFlow<Seen> = last.asStateFlow()

    /** Watches until it is cancelled. */
    suspend fun watch(interval: Duration = 200.milliseconds) {
        val request = watchRequest { this.interval = interval.toMessage() }
        dashboard.watch(request).collect { update ->
            val devices = last.value.devices - update.forgottenList.toSet()
            last.value =
                Seen(devices + update.devicesList.associateBy { it.peerId }, update.summary)
        }
    }

    /** Waits until [condition] is to be seen. */
    suspend fun await(condition: (Seen) -> Boolean): Seen = seen.first(condition)

    /** Has the device of that id measure by [settings]. */
    suspend fun configure(
        peer: String,
        settings: Settings,
    ) {
        dashboard.configure(
            configureRequest {
                peerId = peer
                configuration = settings.toMessage()
            },
        )
    }
}
