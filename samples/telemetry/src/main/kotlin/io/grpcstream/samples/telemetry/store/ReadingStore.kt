package io.grpcstream.samples.telemetry.store

import io.grpcstream.libp2p.PeerId
import io.grpcstream.samples.telemetry.Batch
import java.time.Instant

/**
 * A batch that has come in.
 *
 * @property peer the device's proven id
 * @property name what it calls itself
 * @property time when it came, by our clock
 */
class Arrival(
    val peer: PeerId,
    val name: String,
    val time: Instant,
    val batch: Batch,
)

/**
 * What a batch has added to what was known of its device: nothing, where it had been stored before.
 *
 * @property stored so many readings
 * @property dropped so many more of which the device says that it has dropped them
 */
data class Added(
    val stored: Int,
    val dropped: Long,
)

/** A device, as far as the store knows it. */
class StoredDevice(
    val peer: PeerId,
    val name: String,
    val lastSeen: Instant,
    val stored: Long,
    val dropped: Long,
)

/** Where readings are kept. All of it blocks, and is called by one thread at a time. */
interface ReadingStore : AutoCloseable {
    /**
     * Stores [arrivals], all or none, and returns once they would survive a crash: for each what it
     * has added. A reading is known by its device, run and sequence number: one that is there
     * already is left alone.
     *
     * @throws java.io.IOException if they cannot be stored
     */
    fun append(arrivals: List<Arrival>): List<Added>

    /** The [most] devices that were heard of last, the latest first. */
    fun devices(most: Int): List<StoredDevice>
}
