package io.grpcstream.samples.telemetry.collector

import io.grpcstream.libp2p.PeerId

/**
 * What one viewer has seen of [fleet]. Nothing waits for it here: what has changed is looked for when
 * it takes the next update. For one coroutine.
 */
class FleetView(
    private val fleet: Fleet,
) {
    private val seen = HashMap<PeerId, Long>()

    /** What has changed since the last time. */
    fun next(): Change {
        val all = fleet.devices()
        val changed = all.filter { seen.put(it.peer, it.version) != it.version }
        val there = all.mapTo(HashSet()) { it.peer }
        val forgotten = seen.keys.filter { it !in there }
        seen.keys.removeAll(forgotten.toSet())
        return Change(changed, forgotten, all.summary())
    }
}

/** What has changed for a viewer: those [devices], and those that are [forgotten]. */
class Change(
    val devices: List<DeviceState>,
    val forgotten: List<PeerId>,
    val summary: Summary,
)
