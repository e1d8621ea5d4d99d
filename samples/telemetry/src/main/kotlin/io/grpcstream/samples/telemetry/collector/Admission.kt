package io.grpcstream.samples.telemetry.collector

import io.grpcstream.libp2p.PeerId
import io.grpcstream.samples.telemetry.Rules

/**
 * Who may do what, by proven peer ids. A key costs nothing, so that without lists anybody can be any
 * number of devices, and any device a viewer: good for a trial in a network of your own.
 *
 * @property devices who may report; null for anybody
 * @property viewers who may watch and configure; null for anybody
 */
class Admission(
    private val devices: Set<PeerId>? = null,
    private val viewers: Set<PeerId>? = null,
) {
    /** Whether [peer] may use [protocol]. */
    fun allows(
        peer: PeerId,
        protocol: String,
    ): Boolean {
        val list = if (protocol == Rules.PROTOCOL) devices else viewers
        return list == null || peer in list
    }
}
