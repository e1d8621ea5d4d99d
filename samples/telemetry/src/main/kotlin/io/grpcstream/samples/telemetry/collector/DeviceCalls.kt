package io.grpcstream.samples.telemetry.collector

import io.grpc.Status
import io.grpc.StatusException
import io.grpcstream.kotlin.peerChannel
import io.grpcstream.kotlin.use
import io.grpcstream.libp2p.Host
import io.grpcstream.libp2p.PeerId
import io.grpcstream.samples.telemetry.Rules
import io.grpcstream.samples.telemetry.Settings
import io.grpcstream.samples.telemetry.checked
import io.grpcstream.samples.telemetry.toMessage
import io.grpcstream.telemetry.Configuration
import io.grpcstream.telemetry.DeviceGrpcKt.DeviceCoroutineStub
import java.util.concurrent.TimeUnit
import kotlin.time.Duration

/**
 * Calls devices back. By its peer id alone: nobody can dial a device, so that the call goes over the
 * connection by which the device has come.
 *
 * @param patience how long a device has to answer
 */
class DeviceCalls(
    private val host: Host,
    private val patience: Duration,
) {
    /**
     * Has [device] measure by [settings], and returns what it says it does. Fails as the call does:
     * with `UNAVAILABLE`, at once, if the device is not connected.
     */
    suspend fun configure(
        device: PeerId,
        settings: Settings,
    ): Settings =
        host
            .peerChannel(device, Rules.PROTOCOL) { maxInboundMessageSize(Rules.MESSAGE_BYTES) }
            .use { channel ->
                DeviceCoroutineStub(channel)
                    .withDeadlineAfter(patience.inWholeMilliseconds, TimeUnit.MILLISECONDS)
                    .configure(settings.toMessage())
                    .checkedAnswer(device)
            }

    private fun Configuration.checkedAnswer(device: PeerId): Settings =
        try {
            checked()
        } catch (e: StatusException) {
            // Not the fault of whoever asked.
            val reason = "device $device answered ${e.status.description}"
            throw StatusException(Status.INTERNAL.withDescription(reason))
        }
}
