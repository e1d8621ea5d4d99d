package io.grpcstream.kotlin

import io.grpcstream.libp2p.Host
import io.grpcstream.libp2p.Multiaddr
import io.grpcstream.libp2p.PeerId
import io.grpcstream.libp2p.Stream
import kotlinx.coroutines.future.await
import kotlin.time.Duration
import kotlin.time.toJavaDuration

/**
 * Listens on all addresses of the host's builder, and returns the host once it does.
 *
 * Fails, listening on none of them, if one of them cannot be had; see [Host.start]. Cancelling the
 * coroutine does not stop a start under way: [close][Host.close] the host.
 */
public suspend fun Host.startAndAwait(): Host = start().await()

/**
 * Opens a stream to the peer at [address] that speaks [protocol], dialling if there is no connection
 * to that peer; see [Host.newStream] for how it fails.
 *
 * Cancelling the coroutine gives the dial up, or resets the stream if it was just opened.
 */
public suspend fun Host.open(
    address: Multiaddr,
    protocol: String,
): Stream = newStream(address, protocol).awaitResource(Stream::reset)

/** Opens a stream to [peer], over a live connection or one of the peer's known addresses. */
public suspend fun Host.open(
    peer: PeerId,
    protocol: String,
): Stream = newStream(peer, protocol).awaitResource(Stream::reset)

/**
 * Shuts the host down and returns once its sockets, timers and threads are released: open streams
 * have up to [grace] to end by themselves; see [Host.shutdown].
 *
 * The shutdown goes on if the coroutine is cancelled.
 */
public suspend fun Host.shutdownAndAwait(grace: Duration) {
    shutdown(grace.toJavaDuration()).awaitCompletion()
}
