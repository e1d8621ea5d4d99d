package io.grpcstream.kotest

import io.grpcstream.libp2p.HostStats
import io.grpcstream.libp2p.PeerId
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.future.await
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import java.time.Duration
import java.util.concurrent.CompletionStage
import java.util.concurrent.TimeUnit
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

/** What ends at all ends within milliseconds; this is for machines under load. */
private val PATIENCE = 10.seconds
private val INTERVAL = 5.milliseconds

/**
 * Shuts all peers down, waits until they have ended, and names what has not. Works in real time
 * whatever the clock of the caller, and whether or not the caller is cancelled.
 */
internal suspend fun Peers.closeAndFindLeaks(): List<String> =
    // Two steps: the way back from another dispatcher drops the result if the caller is cancelled.
    withContext(NonCancellable) { withContext(Dispatchers.IO) { closeAll() } }

private suspend fun Peers.closeAll(): List<String> {
    flatMap(Peer::channels).forEach { it.shutdownNow() }
    val grpcs = mapNotNull { peer -> peer.grpc?.let { it to it.shutdown(Duration.ZERO) } }
    val unended = grpcs.flatMap { (grpc, end) -> unlessEnded(end, grpc) }
    val hosts = map { it to it.host.shutdown(Duration.ZERO) }
    return unended + hosts.flatMap { (peer, end) -> unlessEnded(end, "the host of $peer") } +
        flatMap { peer -> found(peer) { peer.leaks() } } +
        found("buffers") { BufferLeaks.ofNetty?.collect().orEmpty() }
}

internal suspend fun unlessEnded(
    end: CompletionStage<Void>,
    what: Any,
): List<String> =
    found(what) {
        val ended = withTimeoutOrNull(PATIENCE) { end.await().let { true } } ?: false
        if (ended) emptyList() else listOf("$what: not shut down after $PATIENCE")
    }

/** What [look] finds left of [what]; if it fails, that is what was found, and the others go on. */
internal inline fun found(
    what: Any,
    look: () -> List<String>,
): List<String> =
    try {
        look()
    } catch (e: Throwable) {
        listOf("$what: ${e.stackTraceToString()}")
    }

/** What is left of a peer that is shut down. Blocks while threads end. */
private fun Peer.leaks(): List<String> =
    channels
        .filterNot { it.awaitTermination(PATIENCE.inWholeSeconds, TimeUnit.SECONDS) }
        .map { "$this: $it not terminated after $PATIENCE" } +
        listOfNotNull(stillOpen()?.let { "$this: $it" }) +
        threadsOf(peerId)
            .onEach { it.join(PATIENCE.inWholeMilliseconds) }
            .filter(Thread::isAlive)
            .map { "$this: thread ${it.name} (${it.state}) still runs" }

/**
 * What the host counts as open, or null if that is nothing. On event loops that the test has brought, which do
 * not end with the host, streams are given back a moment after it has. Blocks until they are.
 */
private fun Peer.stillOpen(): String? {
    val begin = TimeSource.Monotonic.markNow()
    var open = open(host.stats())
    while (open != null && begin.elapsedNow() < PATIENCE) {
        Thread.sleep(INTERVAL.inWholeMilliseconds)
        open = open(host.stats())
    }
    return open
}

/** The connections and streams that [stats] counts as open, or null if there are none. */
internal fun open(stats: HostStats): String? =
    listOf(
        "inbound connections" to stats.inboundConnections,
        "outbound connections" to stats.outboundConnections,
        "pending inbound connections" to stats.pendingInboundConnections,
        "inbound streams" to stats.inboundStreams,
        "outbound streams" to stats.outboundStreams,
    ).filter { (_, count) -> count != 0 }
        .joinToString { (what, count) -> "$what: $count" }
        .ifEmpty { null }

/** The live threads of the host [peer], which are named after the end of its id. */
internal fun threadsOf(peer: PeerId): List<Thread> {
    val name = Regex("grpcstream-[a-z]+-${Regex.escape(peer.toString().takeLast(6))}(-.*)?")
    return Thread.getAllStackTraces().keys.filter { name.matches(it.name) }
}
