package io.grpcstream.kotlin

import io.grpcstream.libp2p.Connection
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
 * A live connection to the peer at [address], or a new one; see [Host.connect] for how it fails.
 *
 * The connection is the host's, which keeps it also if the coroutine is cancelled as it comes;
 * cancelling before that gives the dial up.
 */
public suspend fun Host.connectAndAwait(address: Multiaddr): Connection =
    connect(address).awaitResource { }

/** A live connection to [peer], or a new one to one of its known addresses. */
public suspend fun Host.connectAndAwait(peer: PeerId): Connection = connect(peer).awaitResource { }

/**
 * Opens a stream that speaks [protocol] over this connection; see [Connection.newStream] for how it
 * fails. Cancelling the coroutine gives up, or resets the stream if it was just opened.
 */
public suspend fun Connection.open(protocol: String): Stream =
    newStream(protocol).awaitResource(Stream::reset)

/**
 * Suspends until the connection has ended and its socket is released; it does not fail. Cancelling
 * the coroutine ends the wait alone.
 */
public suspend fun Connection.awaitClosed() {
    closed().awaitCompletion()
}

/**
 * Suspends until the stream is closed in both directions, for whatever reason; it does not fail.
 * Cancelling the coroutine ends the wait alone.
 */
public suspend fun Stream.awaitClosed() {
    closed().awaitCompletion()
}

/**
 * Shuts the host down and returns once its sockets, timers and threads are released: open streams
 * have up to [grace] to end by themselves; see [Host.shutdown].
 *
 * The shutdown goes on if the coroutine is cancelled.
 */
public suspend fun Host.shutdownAndAwait(grace: Duration) {
    shutdown(grace.toJavaDuration()).awaitCompletion()
}
