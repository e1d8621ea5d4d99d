package io.grpcstream.samples.telemetry.collector

import io.grpcstream.samples.telemetry.toMessage
import io.grpcstream.telemetry.DeviceStatus
import io.grpcstream.telemetry.FleetSummary
import io.grpcstream.telemetry.deviceStatus
import io.grpcstream.telemetry.fleetSummary
import kotlin.time.Duration

/** The device as viewers see it. */
internal fun DeviceState.toMessage(): DeviceStatus {
    val from = this
    return deviceStatus {
        peerId = from.peer.toString()
        name = from.name
        online = from.online
        lastSeen = from.lastSeen.toMessage()
        address = from.address?.toString().orEmpty()
        from.settings?.let { configuration = it.toMessage() }
        latest +=
            from.latest.values
                .sortedBy { it.metric }
                .map { it.toMessage() }
        stored = from.stored
        dropped = from.dropped
        waiting = from.waiting
        rate = from.rate
        calls = from.calls
        heldUp = from.heldUp
    }
}

/** All devices as viewers see them, with how long the store took of late. */
internal fun Summary.toMessage(took: Duration): FleetSummary {
    val from = this
    return fleetSummary {
        devices = from.devices
        online = from.online
        stored = from.stored
        dropped = from.dropped
        waiting = from.waiting
        rate = from.rate
        heldUp = from.heldUp
        storeTime = took.toMessage()
    }
}
