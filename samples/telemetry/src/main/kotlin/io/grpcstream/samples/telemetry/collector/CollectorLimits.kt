package io.grpcstream.samples.telemetry.collector

import io.grpcstream.CallLimits
import io.grpcstream.libp2p.Limits
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlin.time.toJavaDuration

/**
 * What devices and viewers can cost the collector.
 *
 * @property devices how many it knows; who comes beyond takes the place of the one that has been
 *   offline for longest, or is turned away if all are online
 * @property readingsPerSecond of one device, on average; one that sends more is answered later
 * @property burst how many readings a device may send at once, such as after a while without network
 * @property callsPerDevice how many calls of a device there may be at a time: one, and one that was
 *   lost without the collector having noticed
 * @property watches how many viewers may watch at a time
 * @property transaction how many readings go into one transaction of the store
 * @property keepAlive how long a device may be silent before it is asked for a sign of life
 * @property patience how long that sign may take
 * @property answer how long a device has to answer a call
 */
data class CollectorLimits(
    val devices: Int = 2_000,
    val readingsPerSecond: Int = 200,
    val burst: Int = 2_000,
    val callsPerDevice: Int = 4,
    val watches: Int = 64,
    val transaction: Int = 4_096,
    val keepAlive: Duration = 10.seconds,
    val patience: Duration = 10.seconds,
    val answer: Duration = 10.seconds,
) {
    /** Those of the host: all devices may come through one NAT, and have one address then. */
    fun ofHost(): Limits =
        Limits
            .builder()
            .connections(2 * devices + watches)
            .connectionsPerPeer(2)
            .connectionsPerAddress(devices)
            .pendingInboundConnections(maxOf(devices, 64))
            .inboundStreams(4 * devices)
            .outboundStreams(2 * devices)
            .inboundStreamsPerPeer(16)
            .connectionWindow(0) // streams stay at the window that they start with
            .keepAliveInterval(keepAlive.toJavaDuration())
            .keepAliveTimeout(patience.toJavaDuration())
            .build()

    /** Those of calls: what all of them hold together. */
    fun ofCalls(): CallLimits = CallLimits.builder().memory(CALL_MEMORY).build()

    companion object {
        private const val CALL_MEMORY = 64L shl 20

        /** The times between two updates of a viewer that there are. */
        val WATCH: ClosedRange<Duration> = 100.milliseconds..1.minutes

        /** That time where a viewer does not say. */
        val WATCH_DEFAULT: Duration = 500.milliseconds
    }
}
