package io.grpcstream.samples.telemetry.collector

import io.grpcstream.libp2p.Multiaddr
import io.grpcstream.libp2p.PeerId
import io.grpcstream.samples.telemetry.Batch
import io.grpcstream.samples.telemetry.Reading
import io.grpcstream.samples.telemetry.Rules
import io.grpcstream.samples.telemetry.Settings
import io.grpcstream.samples.telemetry.invalid
import java.time.Instant

/**
 * What the collector knows of a device; never changed, but replaced.
 *
 * @property version greater than that of any state of any device before it
 * @property address from where it has connected; null while it is offline
 * @property latest the newest reading of each metric
 * @property waiting how many readings wait in it, as it last said
 * @property rate readings stored in a second, of late
 * @property calls how often it has begun to report
 * @property heldUp whether the store has not taken its last batch for a while
 */
data class DeviceState(
    val peer: PeerId,
    val version: Long,
    val name: String,
    val lastSeen: Instant,
    val address: Multiaddr? = null,
    val settings: Settings? = null,
    val latest: Map<String, Reading> = emptyMap(),
    val stored: Long = 0,
    val dropped: Long = 0,
    val waiting: Int = 0,
    val rate: Double = 0.0,
    val calls: Int = 0,
    val heldUp: Boolean = false,
) {
    /** Whether it reports at present. */
    val online: Boolean get() = address != null

    /** This, with what [batch] tells; fails if that is more than a device may have. */
    fun with(batch: Batch): DeviceState {
        val newest = batch.readings.associateBy { it.metric }
        if (newest.size > Rules.METRICS) {
            throw invalid(
                "${newest.size} metrics in a batch; a device has ${Rules.METRICS} at most",
            )
        }
        // One that measures other things than before is no longer what it was.
        val all = (latest + newest).takeIf { it.size <= Rules.METRICS } ?: newest
        return copy(latest = all, waiting = batch.waiting)
    }
}

/**
 * All devices together.
 *
 * @property rate readings stored in a second, of late
 */
data class Summary(
    val devices: Int,
    val online: Int,
    val stored: Long,
    val dropped: Long,
    val waiting: Long,
    val rate: Double,
    val heldUp: Int,
)
