package io.grpcstream.samples.telemetry.collector

import io.grpc.Status
import io.grpc.StatusException
import io.grpcstream.libp2p.Multiaddr
import io.grpcstream.libp2p.PeerId
import io.grpcstream.samples.telemetry.Batch
import io.grpcstream.samples.telemetry.Settings
import io.grpcstream.samples.telemetry.store.Added
import io.grpcstream.samples.telemetry.store.StoredDevice
import kotlinx.coroutines.CompletableDeferred
import java.time.Clock
import java.time.Instant
import kotlin.time.ComparableTimeMark
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.DurationUnit
import kotlin.time.TimeSource

/**
 * The devices that the collector knows, [CollectorLimits.devices] at most: one is online while it has
 * a call in which it reports. For any thread.
 */
class Fleet(
    private val limits: CollectorLimits,
    private val clock: Clock = Clock.systemUTC(),
) {
    private val entries = HashMap<PeerId, Entry>()
    private var version = 0L

    /** A device's place here. */
    private class Entry(
        var state: DeviceState,
        limits: CollectorLimits,
    ) {
        val pace = Pace(limits.readingsPerSecond, limits.burst)
        var call: ReportCall? = null

        /** How many readings were stored since the last [tick]. */
        var storedSince = 0

        /** Since when its last batch waits for the store. */
        var waitingSince: ComparableTimeMark? = null
    }

    /** Knows [devices] from before the collector was started. */
    @Synchronized
    fun remember(devices: List<StoredDevice>) {
        for (device in devices.take(limits.devices)) {
            val state =
                DeviceState(
                    device.peer,
                    ++version,
                    device.name,
                    device.lastSeen,
                    stored = device.stored,
                    dropped = device.dropped,
                )
            entries[device.peer] = Entry(state, limits)
        }
    }

    /**
     * The device begins to report, from [address]. A call that it has already ends: the device knows
     * better than we whether its connection is lost.
     *
     * Fails with `RESOURCE_EXHAUSTED` if there is no room for another device.
     */
    @Synchronized
    fun begin(
        peer: PeerId,
        address: Multiaddr,
    ): ReportCall {
        val entry = entries[peer] ?: enter(peer)
        entry.call?.replace()
        val call = ReportCall(peer, entry.pace)
        entry.call = call
        entry.change { copy(address = address, lastSeen = now(), calls = calls + 1) }
        return call
    }

    private fun enter(peer: PeerId): Entry {
        if (entries.size >= limits.devices) {
            val gone =
                entries.values
                    .map { it.state }
                    .filter { !it.online }
                    .minByOrNull { it.lastSeen }
                    ?: throw StatusException(
                        Status.RESOURCE_EXHAUSTED.withDescription(
                            "no room for device $peer: ${entries.size} are online, the limit",
                        ),
                    )
            entries.remove(gone.peer)
        }
        val state = DeviceState(peer, ++version, name = "", lastSeen = now())
        return Entry(state, limits).also { entries[peer] = it }
    }

    /** [call] has ended; unless a newer one has taken its place, the device is offline. */
    @Synchronized
    fun end(call: ReportCall) {
        val entry = entries[call.peer] ?: return
        if (entry.call === call) {
            entry.call = null
            entry.storedSince = 0
            entry.waitingSince = null
            entry.change { copy(address = null, rate = 0.0, heldUp = false, lastSeen = now()) }
        }
    }

    /** The device has told what it is. */
    @Synchronized
    fun told(
        peer: PeerId,
        name: String,
        settings: Settings,
    ) {
        entries[peer]?.change { copy(name = name, settings = settings, lastSeen = now()) }
    }

    /** The device has sent [batch], which fails if it has more metrics than it may. */
    @Synchronized
    fun told(
        peer: PeerId,
        batch: Batch,
    ) {
        val entry = entries[peer] ?: return
        entry.change { with(batch).copy(lastSeen = now()) }
        entry.waitingSince = TimeSource.Monotonic.markNow()
    }

    /** What the device has sent is stored. */
    @Synchronized
    fun stored(
        peer: PeerId,
        added: Added,
    ) {
        val entry = entries[peer] ?: return
        entry.storedSince += added.stored
        entry.waitingSince = null
        entry.change {
            copy(
                stored = stored + added.stored,
                dropped = dropped + added.dropped,
                heldUp = false,
            )
        }
    }

    /** Reckons anew what depends on the time; called each time that [since] has passed. */
    @Synchronized
    fun tick(since: Duration) {
        for (entry in entries.values) {
            val last = entry.storedSince / since.toDouble(DurationUnit.SECONDS)
            entry.storedSince = 0
            // A device that stores once in a few seconds has a rate, too.
            val rate = ((entry.state.rate + last) / 2).takeIf { it >= LEAST_RATE } ?: 0.0
            val heldUp = entry.waitingSince?.let { it.elapsedNow() >= HELD_UP } ?: false
            if (rate != entry.state.rate || heldUp != entry.state.heldUp) {
                entry.change { copy(rate = rate, heldUp = heldUp) }
            }
        }
    }

    /** The device; null if there is none. */
    @Synchronized
    fun device(peer: PeerId): DeviceState? = entries[peer]?.state

    /** All devices, in no order. */
    @Synchronized
    fun devices(): List<DeviceState> = entries.values.map { it.state }

    private fun Entry.change(change: DeviceState.() -> DeviceState) {
        state = state.change().copy(version = ++version)
    }

    private fun now(): Instant = clock.instant()

    private companion object {
        const val LEAST_RATE = 0.01
        val HELD_UP = 500.milliseconds
    }
}

/** All of these devices together. */
fun List<DeviceState>.summary(): Summary =
    Summary(
        devices = size,
        online = count { it.online },
        stored = sumOf { it.stored },
        dropped = sumOf { it.dropped },
        waiting = sumOf { it.waiting.toLong() },
        rate = sumOf { it.rate },
        heldUp = count { it.heldUp },
    )

/**
 * A call in which a device reports.
 *
 * @property pace how fast it may
 */
class ReportCall internal constructor(
    val peer: PeerId,
    val pace: Pace,
) {
    private val replaced = CompletableDeferred<Nothing>()

    internal fun replace() {
        val reason = "device $peer reports in a newer call"
        replaced.completeExceptionally(StatusException(Status.ABORTED.withDescription(reason)))
    }

    /** Fails with `ABORTED` once a newer call has taken the place of this one. */
    suspend fun awaitReplaced(): Nothing = replaced.await()
}
