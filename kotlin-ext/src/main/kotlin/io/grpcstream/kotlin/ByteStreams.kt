package io.grpcstream.kotlin

import io.grpcstream.libp2p.Host
import io.grpcstream.libp2p.Stream
import io.netty.buffer.Unpooled
import io.netty.channel.ChannelFuture
import io.netty.channel.socket.ChannelOutputShutdownException
import io.netty.channel.socket.DuplexChannel
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.launch
import kotlinx.coroutines.suspendCancellableCoroutine
import org.slf4j.LoggerFactory
import java.io.IOException
import java.util.concurrent.RejectedExecutionException
import java.util.concurrent.atomic.AtomicLong
import kotlin.coroutines.resumeWithException

private val log = LoggerFactory.getLogger("io.grpcstream.kotlin.ByteStreams")

private const val WARNING_INTERVAL_NANOS = 1_000_000_000L

/**
 * What the peer sends on this stream, in pieces as they come, none of them empty; they are the
 * collector's. For protocols beside gRPC; a stream with a gRPC channel, or one that is served, has
 * no bytes for others. One request, and all of its answer:
 *
 * ```
 * val stream = dialer.open(address, "/echo/1.0.0")
 * stream.write("Hello".encodeToByteArray())
 * stream.closeWrite()
 * val echo = stream.consumeBytes().reduce { all, piece -> all + piece }
 * ```
 *
 * As with `consumeAsFlow`, the flow can be collected once, and then fails with [IllegalStateException];
 * it is cold, though, and does not end the stream when the collector ends early. It reads when
 * the collector asks, so that a slow collector holds the peer back by the stream's receive window.
 * It completes when the peer has ended its half of the stream ([closeWrite] or close), which leaves
 * ours open, and fails with [IOException] if the stream is reset, or ended on this side, or its
 * connection is lost. Cancelling the collector leaves the stream open: [Stream.close] or
 * [Stream.reset] it.
 *
 * The first of [consumeBytes], [write], [writeAll] and [closeWrite] to be called takes the stream
 * over: from then on nothing is read but by this flow. A flow that is never collected does not see the
 * peer's end.
 */
public fun Stream.consumeBytes(): Flow<ByteArray> =
    flow {
        val reader = ByteReader.of(this@consumeBytes)
        reader.claim()
        while (true) {
            emit(reader.next() ?: break)
        }
    }

/**
 * Sends [bytes], and suspends until the connection has taken all of them, which waits for the
 * peer's receive window: a peer that reads slowly suspends its sender. [consumeBytes] has an example.
 *
 * The array must not change before this returns. Fails with [IOException] if the stream has ended or
 * [closeWrite] was called. After a cancellation any part of the bytes may be sent, also later, and the
 * array must not change any more: all that is left to do with such a stream is to reset it.
 */
public suspend fun Stream.write(bytes: ByteArray) {
    ByteReader.of(this)
    channel().writeAndFlush(Unpooled.wrappedBuffer(bytes)).awaitSent(this)
}

/** [Writes][write] all of [source], which goes on when the peer takes more. It does not [close][closeWrite] it. */
public suspend fun Stream.writeAll(source: Flow<ByteArray>) {
    source.collect { write(it) }
}

/**
 * Ends this side's half of the stream, after all that was written: the peer's [consumeBytes]
 * completes. What the peer sends can still be read. Suspends until the connection has taken the end
 * over.
 *
 * Fails with [IOException] if the stream has ended before, and with [UnsupportedOperationException]
 * if it comes from another stack whose streams cannot be half closed.
 */
public suspend fun Stream.closeWrite() {
    ByteReader.of(this)
    val channel =
        channel() as? DuplexChannel
            ?: throw UnsupportedOperationException("$this cannot be half closed")
    val ended =
        try {
            channel.shutdownOutput()
        } catch (e: RejectedExecutionException) {
            // Of Netty's own channels; ours fail the future.
            throw failureOf(e)
        }
    ended.awaitSent(this)
}

/**
 * Serves [protocol], as [Host.handle] does: each stream that a peer opens is given to [handler], in a
 * coroutine of its own in [scope], on the scope's dispatcher. Nothing is read from the stream before
 * the handler [takes its bytes][consumeBytes].
 *
 * ```
 * host.handle("/echo/1.0.0", scope) { stream ->
 *     stream.writeAll(stream.consumeBytes())
 * }
 * ```
 *
 * When the handler returns, its stream is closed. When it fails, its stream is reset and the failure
 * logged (as a warning, or at debug level if it is an [IOException], which peers can cause at will);
 * neither other streams nor the scope are harmed. When the scope is cancelled, its streams are reset,
 * and so are those that come later.
 */
public fun Host.handle(
    protocol: String,
    scope: CoroutineScope,
    handler: suspend (Stream) -> Unit,
) {
    val lastWarning = AtomicLong(System.nanoTime() - WARNING_INTERVAL_NANOS)
    handle(protocol) { stream ->
        ByteReader.of(stream)
        scope
            .launch { handleOne(stream, lastWarning, handler) }
            // Also if the scope was cancelled before the coroutine could begin.
            .invokeOnCompletion { cancelled -> if (cancelled != null) stream.reset() }
    }
}

private suspend fun CoroutineScope.handleOne(
    stream: Stream,
    lastWarning: AtomicLong,
    handler: suspend (Stream) -> Unit,
) {
    try {
        handler(stream)
        stream.close()
    } catch (failure: Throwable) {
        stream.reset()
        ensureActive()
        if (failure is IOException || !lastWarning.hasPassed()) {
            log.debug("{}: its handler failed", stream, failure)
        } else {
            log.warn("{}: reset, as its handler failed", stream, failure)
        }
    }
}

/** True once a second: peers decide how many streams there are, and so how often handlers fail. */
private fun AtomicLong.hasPassed(): Boolean {
    val last = get()
    val now = System.nanoTime()
    return now - last >= WARNING_INTERVAL_NANOS && compareAndSet(last, now)
}

/** Cancelling the coroutine leaves what was begun alone. */
private suspend fun ChannelFuture.awaitSent(stream: Stream): Unit =
    suspendCancellableCoroutine { continuation ->
        val resume = {
            if (isSuccess) {
                continuation.resume(Unit) { _, _, _ -> }
            } else {
                continuation.resumeWithException(stream.failureOf(cause()))
            }
        }
        // An event loop that has ended fails what it is given, but calls no listeners.
        if (isDone) resume() else addListener { resume() }
    }

/** What [cause] is to the user of this stream: it names the protocol and the peer. */
internal fun Stream.failureOf(cause: Throwable): IOException {
    val why =
        when (cause) {
            is RejectedExecutionException -> "its event loop has ended"
            is ChannelOutputShutdownException -> "nothing can be written after closeWrite"
            else -> cause.message ?: "it has ended"
        }
    return IOException("$this: $why", cause)
}
