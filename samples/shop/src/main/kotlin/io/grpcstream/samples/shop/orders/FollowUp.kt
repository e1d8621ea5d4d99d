package io.grpcstream.samples.shop.orders

import io.grpc.StatusException
import io.grpcstream.kotlin.withDeadline
import io.grpcstream.samples.shop.tracing.inTrace
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Semaphore
import kotlinx.coroutines.sync.withPermit
import kotlinx.coroutines.withTimeoutOrNull
import org.slf4j.LoggerFactory
import java.sql.SQLException
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/**
 * Goes on with orders that nobody is at: those that this process had when it ended the last time, and
 * those whose customers have given up waiting, or whose next step could not be done.
 *
 * It looks into the store at the start, and then ever again, and so knows of each of them for as long
 * as there is any.
 *
 * @param pause between one look and the next
 */
class FollowUp(
    private val orders: OrderBook,
    private val process: OrderProcess,
    private val pause: Duration = 500.milliseconds,
) {
    private val asked = Channel<Unit>(Channel.CONFLATED)

    /** Asks for a look now. */
    fun now() {
        asked.trySend(Unit)
    }

    /** Looks until it is cancelled. */
    suspend fun run() {
        var stuck = 0
        while (true) {
            try {
                val round = lookOnce()
                if (round.unfinished != 0 && round.unfinished != stuck) {
                    log.info("{} orders wait: {}", round.unfinished, round.failure)
                }
                stuck = round.unfinished
            } catch (e: SQLException) {
                log.warn("the orders' store fails: {}", e.message)
            }
            withTimeoutOrNull(pause) { asked.receive() }
        }
    }

    /** Goes on with each unfinished order once. */
    suspend fun lookOnce(): Round {
        val round = Round()
        var after = ""
        do {
            val page = orders.unfinished(after, PAGE)
            val permits = Semaphore(AT_A_TIME)
            coroutineScope {
                for (id in page) {
                    launch { permits.withPermit { round.goOn(id) } }
                }
            }
            after = page.lastOrNull() ?: after
        } while (page.size == PAGE)
        return round
    }

    /** What became of one look. */
    inner class Round internal constructor() {
        private val failures = AtomicInteger()

        /** How many orders could not be finished. */
        val unfinished: Int get() = failures.get()

        /** Why one of them could not be. */
        @Volatile
        var failure: String = ""
            private set

        internal suspend fun goOn(id: String) {
            try {
                // In the trace of whoever has placed it.
                inTrace(orders.find(id)?.trace) {
                    withDeadline(PATIENCE) { process.finishUnlessUnderWay(id) }
                }
            } catch (e: CancellationException) {
                throw e
            } catch (e: StatusException) {
                failed("${e.status.code}: ${e.status.description}")
                log.debug("order {} waits", id, e)
            } catch (e: SQLException) {
                throw e
            } catch (e: Exception) {
                // Whatever it is, it must not keep other orders from going on.
                failed("$e")
                log.warn("order {} does not go on", id, e)
            }
        }

        private fun failed(why: String) {
            failures.incrementAndGet()
            failure = why
        }
    }

    private companion object {
        val log = LoggerFactory.getLogger(FollowUp::class.java)
        const val PAGE = 200
        const val AT_A_TIME = 16
        val PATIENCE = 5.seconds
    }
}
