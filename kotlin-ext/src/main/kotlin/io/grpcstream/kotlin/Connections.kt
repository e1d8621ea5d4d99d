package io.grpcstream.kotlin

import io.grpcstream.GrpcConnection
import io.grpcstream.GrpcStream
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.map
import java.nio.channels.ClosedChannelException

/**
 * The streams that peers open to this [GrpcStream], in the order in which they come; collecting is
 * accepting. The collector decides what each becomes: serve it, be the client on it, or refuse it.
 *
 * The flow is cold and holds nothing: it accepts a connection when the collector is ready for one,
 * so that a slow collector leaves the others in the bounded backlog, and peers beyond that are
 * refused. It completes once this is shut down, and fails with [IllegalStateException] once `serve()`
 * was called. It may be collected again, and by several at once: each connection goes to one of
 * them, to whom has waited longest.
 *
 * **Cancelling loses no connection**: one that was accepted but did not reach the collector goes back
 * to the head of the backlog. What reached it is its own, also in operators that hold values, such as
 * `buffer` or `flatMapMerge`; if one of them drops a connection when it is cancelled, nobody decides
 * about it, and the stream is reset after the
 * [backlogTimeout][io.grpcstream.GrpcStream.Builder.backlogTimeout].
 *
 * One coroutine a connection:
 * ```
 * grpc.connections().collect { launch { it.serveAndAwait() } }
 * ```
 * Admission by peer id (`filter` alone would leave the others without an answer):
 * ```
 * grpc
 *     .connections()
 *     .filter { connection ->
 *         val admitted = connection.remotePeer() in friends
 *         if (!admitted) connection.refuse()
 *         admitted
 *     }.collect { it.serve() }
 * ```
 * At most 100 connections at a time; those beyond them wait in the backlog:
 * ```
 * val seats = Semaphore(100)
 * grpc.connections().onStart { seats.acquire() }.collect { connection ->
 *     launch { connection.serveAndAwait() }.invokeOnCompletion { seats.release() }
 *     seats.acquire()
 * }
 * ```
 * Calling a peer back, over the libp2p connection by which it came, takes no more than
 * `host.grpcChannel(connection.remotePeer(), protocol)`.
 */
public fun GrpcStream.connections(): Flow<GrpcConnection> =
    flow {
        while (true) {
            val handover = Handover(nextConnection() ?: return@flow)
            try {
                emit(handover)
            } finally {
                handover.undo()
            }
        }
    }.map { it.complete() }

/** The next connection, or null if there will be none. */
private suspend fun GrpcStream.nextConnection(): GrpcConnection? =
    try {
        awaitConnection()
    } catch (_: ClosedChannelException) {
        null
    }

/**
 * A connection on its way to the collector. That `emit` was cancelled does not tell whether the
 * value had arrived: `emit` is cancelled before that, but fails also after it, as with `first()`.
 */
private class Handover(
    private val connection: GrpcConnection,
) {
    private var completed = false

    fun complete(): GrpcConnection {
        completed = true
        return connection
    }

    fun undo() {
        if (!completed) {
            connection.giveBack()
        }
    }
}

/**
 * Suspends until the stream has ended, for whatever reason; it does not fail. Cancelling the
 * coroutine ends the wait alone.
 */
public suspend fun GrpcConnection.awaitClosed() {
    closed().awaitCompletion()
}

/**
 * Serves the connection, and suspends until its stream has ended, for whatever reason. Cancelling
 * the coroutine [closes][GrpcConnection.close] the connection: the peer is told to make no new calls
 * on it, and calls in flight finish, for which the coroutine does not wait.
 *
 * Fails with [IllegalStateException] if the connection was decided about before.
 */
public suspend fun GrpcConnection.serveAndAwait() {
    serve()
    try {
        awaitClosed()
    } catch (cancelled: CancellationException) {
        close()
        throw cancelled
    }
}
