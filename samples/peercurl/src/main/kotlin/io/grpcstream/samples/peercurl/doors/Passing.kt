package io.grpcstream.samples.peercurl.doors

import io.grpc.Status
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.withTimeoutOrNull
import java.util.concurrent.atomic.AtomicInteger
import java.util.concurrent.atomic.AtomicLong
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

/**
 * The connections that are in a door, at most [limit] at a time. Thread-safe.
 *
 * @param showCalls whether calls are told of, for which their headers are read on their way
 */
internal class Passing(
    private val limit: Int,
    private val showCalls: Boolean,
    private val tell: (DoorEvent) -> Unit,
) {
    private val lock = Any()
    private val places = HashSet<Place>()
    private val numbers = AtomicLong()
    private var closing: String? = null
    private val empty = CompletableDeferred<Unit>()
    private val refusals = AtomicInteger()

    /** A place for a connection from [from]; null if there is none, or the door closes. */
    fun enter(from: String): Place? =
        synchronized(lock) {
            if (closing != null || places.size >= limit) return null
            Place(numbers.incrementAndGet(), from).also { places += it }
        }

    /** Why nobody gets in. */
    fun full(): Status =
        synchronized(lock) { closing }?.let(Status.UNAVAILABLE::withDescription)
            ?: "there are $limit connections in this door, its limit"
                .let(Status.RESOURCE_EXHAUSTED::withDescription)

    /**
     * Answers the calls of a connection with [status]. As many as have a place inside may be
     * waiting for their answer; others are reset. On the event loop of [caller].
     */
    fun refuse(
        caller: SpliceEnd,
        from: String,
        status: Status,
    ) {
        tell(DoorEvent.Refused(from, status))
        if (refusals.incrementAndGet() > limit) {
            refusals.decrementAndGet()
            return caller.reset()
        }
        caller.channel.closeFuture().addListener { refusals.decrementAndGet() }
        StatusResponder.answer(caller.channel, status)
    }

    /**
     * Asks all to end, and lets nobody in; gives them [grace] to finish their calls, then cuts them
     * off.
     */
    suspend fun shutdown(
        reason: String,
        grace: Duration,
    ) {
        drain(reason)
        withTimeoutOrNull(grace) { empty.await() } ?: cut(reason)
        // To say so, and to be read.
        withTimeoutOrNull(LAST_WORDS) { empty.await() }
    }

    private fun drain(reason: String) {
        val inside =
            synchronized(lock) {
                closing = reason
                if (places.isEmpty()) empty.complete(Unit)
                places.toList()
            }
        inside.forEach { it.splice?.drain(reason) }
    }

    private fun cut(reason: String) {
        synchronized(lock) { places.toList() }.forEach { it.splice?.cut(reason) }
    }

    /** One connection's place. */
    inner class Place(
        private val number: Long,
        private val from: String,
    ) {
        private val begin = TimeSource.Monotonic.markNow()

        @Volatile
        var splice: Splice? = null
            private set

        /** Ties the two ends together. On their event loop. */
        fun splice(
            caller: SpliceEnd,
            server: SpliceEnd,
            serverName: String,
            signer: PeerIdHeader?,
        ) {
            val tap =
                if (showCalls) {
                    Tap(
                        CallLog { tell(DoorEvent.Called(number, from, it)) },
                        ::warn,
                    )
                } else {
                    null
                }
            val splice = Splice(caller, server, serverName, tap, signer, ended = ::ended)
            this.splice = splice
            tell(DoorEvent.Opened(number, from))
            var open = 2
            for (end in listOf(caller, server)) {
                // Both on one event loop.
                end.channel.closeFuture().addListener { if (--open == 0) leave() }
            }
            splice.start()
            synchronized(lock) { closing }?.let(splice::drain)
        }

        private fun ended(
            splice: Splice,
            cause: Throwable?,
        ) {
            if (cause is NotHttp2) warn(cause.begin.text)
            tell(
                DoorEvent.Closed(
                    number,
                    from,
                    begin.elapsedNow(),
                    splice.sent,
                    splice.received,
                    cause?.message,
                ),
            )
        }

        private fun warn(text: String) = tell(DoorEvent.Warned("$from (#$number): $text"))

        /** The connection is no more. */
        fun leave() =
            synchronized(lock) {
                places -= this
                if (closing != null && places.isEmpty()) empty.complete(Unit)
            }
    }

    private companion object {
        val LAST_WORDS = 1.seconds
    }
}
