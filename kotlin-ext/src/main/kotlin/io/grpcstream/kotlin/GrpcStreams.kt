package io.grpcstream.kotlin

import io.grpcstream.GrpcConnection
import io.grpcstream.GrpcStream
import kotlin.time.Duration
import kotlin.time.toJavaDuration

/**
 * The next stream that a peer has opened to this [GrpcStream], in the order in which they came. The
 * caller decides what it becomes: serve it, be the client on it, or refuse it.
 *
 * Fails with [IllegalStateException] once `serve()` was called, and with
 * [ClosedChannelException][java.nio.channels.ClosedChannelException] once this is closed. Cancelling
 * the coroutine gives up its place and loses no connection: one that came at that very moment goes back
 * to the head of the queue.
 */
public suspend fun GrpcStream.awaitConnection(): GrpcConnection =
    accept().awaitResource(GrpcConnection::giveBack)

/**
 * Refuses new streams, lets calls finish for up to [grace], then cuts them, and returns once all has
 * ended; see [GrpcStream.shutdown].
 *
 * The shutdown goes on if the coroutine is cancelled.
 */
public suspend fun GrpcStream.shutdownAndAwait(grace: Duration) {
    shutdown(grace.toJavaDuration()).awaitCompletion()
}
