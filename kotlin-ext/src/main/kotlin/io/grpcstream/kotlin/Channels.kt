package io.grpcstream.kotlin

import io.grpc.Channel
import io.grpc.ClientInterceptor
import io.grpc.ClientInterceptors
import io.grpc.ManagedChannel
import io.grpc.ManagedChannelBuilder
import io.grpc.StatusException
import io.grpcstream.GrpcStream
import io.grpcstream.libp2p.Host
import io.grpcstream.libp2p.Multiaddr
import io.grpcstream.libp2p.PeerId
import io.grpcstream.libp2p.Stream
import kotlinx.coroutines.CancellationException

/**
 * A gRPC channel that lives on this stream alone and owns it: shutting the channel down closes the
 * stream, and once the stream has ended all calls fail with `UNAVAILABLE`, also those that wait for
 * a ready channel; see [GrpcStream.wrapClient].
 *
 * Callbacks run on the stream's event loop, unless [configure] sets an executor. That is the fastest
 * way for coroutines, be it [Channel.unary] and its like or generated coroutine stubs: what runs there
 * only resumes them, on their own dispatchers. Code that must not hold up the event loop, such as a
 * `StreamObserver` that blocks or interceptors that do, needs an executor.
 *
 * ```
 * val channel = stream.grpcChannel { maxInboundMessageSize(16 * 1024 * 1024) }
 * ```
 *
 * @throws IllegalStateException if the stream is served or wrapped already
 */
public fun Stream.grpcChannel(
    configure: (@BuilderDsl ManagedChannelBuilder<*>).() -> Unit = {},
): ManagedChannel =
    GrpcStream
        .wrapClientBuilder(this)
        .forCoroutines()
        .apply(configure)
        .build()

/** What channels for coroutines are made with, unless the user says otherwise. */
internal fun <B : ManagedChannelBuilder<*>> B.forCoroutines(): B =
    apply {
        directExecutor()
        intercept(ContextDeadline)
    }

/**
 * Opens a stream to the peer at [address] that speaks [protocol], and a [channel][Stream.grpcChannel]
 * over it.
 *
 * Cancelling the coroutine gives the dial up, or resets the stream if it was just opened.
 *
 * @throws StatusException if there is no such stream, see [GrpcStream.statusOf]: `UNAVAILABLE` if the
 *   peer cannot be reached or does not speak the protocol, `UNAUTHENTICATED` if another peer answers,
 *   `PERMISSION_DENIED` if our own policy forbids it
 */
public suspend fun Host.grpcChannel(
    address: Multiaddr,
    protocol: String,
    configure: (@BuilderDsl ManagedChannelBuilder<*>).() -> Unit = {},
): ManagedChannel = dialled { open(address, protocol) }.owned(configure)

/** The same, over a live connection to [peer] or one of its known addresses. */
public suspend fun Host.grpcChannel(
    peer: PeerId,
    protocol: String,
    configure: (@BuilderDsl ManagedChannelBuilder<*>).() -> Unit = {},
): ManagedChannel = dialled { open(peer, protocol) }.owned(configure)

private inline fun dialled(open: () -> Stream): Stream =
    try {
        open()
    } catch (e: CancellationException) {
        throw e
    } catch (e: Exception) {
        throw StatusException(GrpcStream.statusOf(e))
    }

private fun Stream.owned(configure: ManagedChannelBuilder<*>.() -> Unit): ManagedChannel =
    try {
        grpcChannel(configure)
    } catch (e: Throwable) {
        reset()
        throw e
    }

/**
 * Runs [block] with this channel, then shuts it down: calls that still run may end. If [block] fails
 * or is cancelled, they are cancelled. Either way this does not wait for them.
 */
public suspend inline fun <T> ManagedChannel.use(block: (ManagedChannel) -> T): T =
    try {
        block(this)
    } catch (e: Throwable) {
        shutdownNow()
        throw e
    } finally {
        shutdown() // Has no effect after the other.
    }

/**
 * This channel with [interceptors] around each call, of which the last one runs first, as for stubs.
 * It shares this channel's stream; it is this one that has to be shut down.
 */
public fun Channel.withInterceptors(vararg interceptors: ClientInterceptor): Channel =
    ClientInterceptors.intercept(this, *interceptors)
