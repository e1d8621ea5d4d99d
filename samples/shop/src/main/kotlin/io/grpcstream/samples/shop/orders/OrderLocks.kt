package io.grpcstream.samples.shop.orders

import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import java.util.concurrent.ConcurrentHashMap

/** A lock for each order that somebody is at. */
internal class OrderLocks {
    private class Lock {
        val mutex = Mutex()
        var users = 0
    }

    private val locks = ConcurrentHashMap<String, Lock>()

    /** Runs [block] while nobody else has the order's lock; waits for that. */
    suspend fun <T> withLock(
        id: String,
        block: suspend () -> T,
    ): T = using(id) { mutex.withLock { block() } }

    /** Runs [block] if nobody has the order's lock. */
    suspend fun withLockIfFree(
        id: String,
        block: suspend () -> Unit,
    ) = using(id) {
        if (mutex.tryLock()) {
            try {
                block()
            } finally {
                mutex.unlock()
            }
        }
    }

    private inline fun <T> using(
        id: String,
        use: Lock.() -> T,
    ): T {
        val lock = locks.compute(id) { _, found -> (found ?: Lock()).apply { users++ } }!!
        try {
            return lock.use()
        } finally {
            locks.compute(id) { _, found -> found!!.apply { users-- }.takeIf { it.users > 0 } }
        }
    }
}
