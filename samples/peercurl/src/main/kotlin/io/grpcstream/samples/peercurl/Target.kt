package io.grpcstream.samples.peercurl

import io.grpcstream.libp2p.Multiaddr
import io.grpcstream.libp2p.PeerId
import picocli.CommandLine.TypeConversionException
import java.net.URLDecoder
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/**
 * The peer that a command line names: a multiaddr, several of one peer separated by commas, or a
 * target as channels take it (`libp2p:…?protocol=…`).
 *
 * @property peer who has to answer; null if the address does not say it
 * @property addresses where, without the peer id; not empty
 * @property protocol the protocol id that the target names
 */
internal class Target private constructor(
    private val text: String,
    val peer: PeerId?,
    val addresses: List<Multiaddr>,
    val protocol: String?,
) {
    /** Enough of it for someone who waits. */
    val short: String
        get() =
            addresses.first().toString() +
                (peer?.let { "/p2p/…" + it.toString().takeLast(6) } ?: "")

    /** The addresses with the peer's id. */
    val multiaddrs: List<Multiaddr>
        get() = addresses.map { if (peer == null) it else it.withPeerId(peer) }

    /**
     * The peer, which calls have to know: its identity is proven before anything is sent.
     *
     * @throws Failure if the address does not name it
     */
    fun requirePeer(): PeerId =
        peer ?: throw Failure.usage(
            "$text names no peer: end it in /p2p/<peer id>; 'peercurl id $text' tells who answers there",
        )

    /** The same peer, known by what it has proven. */
    fun withPeer(proven: PeerId): Target = Target(text, proven, addresses, protocol)

    override fun toString(): String = text

    companion object {
        private const val SCHEME = "libp2p:"
        private const val PROTOCOL = "protocol="

        fun parse(text: String): Target {
            val isTarget = text.startsWith(SCHEME)
            val path = if (isTarget) text.removePrefix(SCHEME).substringBefore('?') else text
            val query = if (isTarget) text.substringAfter('?', "") else ""
            if (query.isNotEmpty() && !query.startsWith(PROTOCOL)) {
                throw TypeConversionException(
                    "$text: a target may have ?protocol=<protocol id>, and no more",
                )
            }
            val all = path.removePrefix("//").split(',').map(::addressOf)
            val peers = all.mapNotNull { it.peerId().orElse(null) }.distinct()
            if (peers.size > 1) {
                throw TypeConversionException("$text names ${peers.size} peers; one at a time")
            }
            val addresses = all.map { it.withoutPeerId() }.distinct()
            if (addresses.any { it.isEmpty }) {
                throw TypeConversionException(
                    "$text does not say where the peer is, such as /ip4/127.0.0.1/tcp/4001/…",
                )
            }
            val protocol = query.removePrefix(PROTOCOL).ifEmpty { null }
            return Target(
                text,
                peers.firstOrNull(),
                addresses,
                protocol?.let {
                    URLDecoder.decode(it.replace("+", "%2B"), Charsets.UTF_8)
                },
            )
        }

        private fun addressOf(text: String): Multiaddr =
            try {
                Multiaddr.parse(text)
            } catch (e: IllegalArgumentException) {
                throw TypeConversionException("\"$text\" is no multiaddr: ${e.message}")
            }
    }
}

/** A time such as `5s`, `500ms`, `1m 30s`, or a number of seconds. */
internal fun durationOf(text: String): Duration {
    val duration =
        text.toDoubleOrNull()?.takeIf { it.isFinite() }?.seconds ?: Duration.parseOrNull(text)
    if (duration == null || !duration.isPositive()) {
        throw TypeConversionException("\"$text\" is no time: expected one such as 5s, 500ms or 2m")
    }
    return duration
}
