package io.grpcstream.samples.shop.orders

import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.emitAll
import kotlinx.coroutines.flow.filterNotNull
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.transformWhile
import kotlinx.coroutines.launch
import java.util.concurrent.ConcurrentHashMap
import kotlin.time.Duration.Companion.seconds

/**
 * Tells those who watch an order of its changes. Who is slow misses the states in between, but never
 * the final one; nobody waits for a watcher.
 */
class OrderFeed {
    private class Watched {
        val latest = MutableStateFlow<Order?>(null)
        var watchers = 0
    }

    private val watched = ConcurrentHashMap<String, Watched>()

    /** Tells the watchers of this [order]. */
    fun publish(order: Order) {
        watched[order.id]?.latest?.let { latest ->
            // What was read may come later than what was stored since.
            while (true) {
                val known = latest.value
                if (known != null && known.state >= order.state) return
                if (latest.compareAndSet(known, order)) return
            }
        }
    }

    /**
     * The order that [read] returns, then what becomes of it, until it is final. It is read again now
     * and then: another process might have gone on with it, or this one might not know that it has.
     */
    fun watch(
        id: String,
        read: suspend () -> Order,
    ): Flow<Order> =
        flow {
            val order = watched.compute(id) { _, it -> (it ?: Watched()).apply { watchers++ } }!!
            try {
                coroutineScope {
                    val reading =
                        launch {
                            while (true) {
                                publish(read())
                                delay(READ_AGAIN)
                            }
                        }
                    emitAll(
                        order.latest.filterNotNull().distinctUntilChanged().transformWhile {
                            emit(it)
                            !it.state.isFinal
                        },
                    )
                    reading.cancel()
                }
            } finally {
                watched.compute(
                    id,
                ) { _, it -> it!!.apply { watchers-- }.takeIf { it.watchers > 0 } }
            }
        }

    private companion object {
        val READ_AGAIN = 1.seconds
    }
}
