package io.grpcstream.samples.peercurl

import io.grpcstream.libp2p.Connection
import io.grpcstream.libp2p.PeerInfo
import kotlinx.coroutines.delay
import kotlinx.coroutines.withTimeoutOrNull
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

private val POLL = 5.milliseconds

/**
 * What the peer tells of itself, or null if it does not within that time. The host asks for it by
 * itself, and does not tell when there is an answer.
 */
internal suspend fun Connection.awaitPeerInfo(patience: Duration): PeerInfo? =
    withTimeoutOrNull(patience) {
        while (peerInfo().isEmpty && isOpen) delay(POLL)
        peerInfo().orElse(null)
    }
