package io.grpcstream.samples.telemetry.collector

import io.grpc.Status
import io.grpc.StatusException
import io.grpcstream.libp2p.PeerId
import io.grpcstream.samples.telemetry.checked
import io.grpcstream.samples.telemetry.invalid
import io.grpcstream.samples.telemetry.toDuration
import io.grpcstream.samples.telemetry.toMessage
import io.grpcstream.telemetry.Configuration
import io.grpcstream.telemetry.ConfigureRequest
import io.grpcstream.telemetry.DashboardGrpcKt.DashboardCoroutineImplBase
import io.grpcstream.telemetry.FleetUpdate
import io.grpcstream.telemetry.ListDevicesRequest
import io.grpcstream.telemetry.ListDevicesResponse
import io.grpcstream.telemetry.WatchRequest
import io.grpcstream.telemetry.fleetUpdate
import io.grpcstream.telemetry.listDevicesResponse
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.sync.Semaphore
import kotlin.time.Duration

/** What viewers see and may do. */
class DashboardService(
    private val fleet: Fleet,
    private val limits: CollectorLimits,
    private val storeTime: () -> Duration,
    private val devices: suspend () -> DeviceCalls,
) : DashboardCoroutineImplBase() {
    private val watches = Semaphore(limits.watches)

    override suspend fun listDevices(request: ListDevicesRequest): ListDevicesResponse {
        val all = fleet.devices()
        return listDevicesResponse {
            devices += all.map { it.toMessage() }
            summary = all.summary().toMessage(storeTime())
        }
    }

    override fun watch(request: WatchRequest): Flow<FleetUpdate> =
        flow {
            val interval = request.checkedInterval()
            if (!watches.tryAcquire()) {
                val reason = "${limits.watches} viewers watch already, the limit"
                throw StatusException(Status.RESOURCE_EXHAUSTED.withDescription(reason))
            }
            try {
                val view = FleetView(fleet)
                while (true) {
                    // Suspends while the viewer does not read; what changes meanwhile is not kept.
                    emit(view.next().toMessage())
                    delay(interval)
                }
            } finally {
                watches.release()
            }
        }

    private fun WatchRequest.checkedInterval(): Duration {
        val wanted =
            if (hasInterval()) interval.toDuration() else CollectorLimits.WATCH_DEFAULT
        if (wanted !in CollectorLimits.WATCH) {
            throw invalid("an interval of $wanted, not in ${CollectorLimits.WATCH}")
        }
        return wanted
    }

    private fun Change.toMessage(): FleetUpdate {
        val from = this
        return fleetUpdate {
            devices += from.devices.map { it.toMessage() }
            forgotten += from.forgotten.map { it.toString() }
            summary = from.summary.toMessage(storeTime())
        }
    }

    override suspend fun configure(request: ConfigureRequest): Configuration {
        val peer = request.checkedPeer()
        val settings = request.configuration.checked()
        val device =
            fleet.device(peer)
                ?: throw StatusException(Status.NOT_FOUND.withDescription("no device $peer"))
        if (!device.online) {
            val reason = "device $peer is offline, last seen at ${device.lastSeen}"
            throw StatusException(Status.UNAVAILABLE.withDescription(reason))
        }
        return devices().configure(peer, settings).toMessage()
    }

    private fun ConfigureRequest.checkedPeer(): PeerId =
        try {
            PeerId.parse(peerId)
        } catch (e: IllegalArgumentException) {
            val reason = "peer_id is none: ${e.message}"
            throw StatusException(Status.INVALID_ARGUMENT.withDescription(reason).withCause(e))
        }
}
