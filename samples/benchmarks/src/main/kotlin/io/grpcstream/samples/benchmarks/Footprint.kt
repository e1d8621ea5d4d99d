package io.grpcstream.samples.benchmarks

import java.util.concurrent.TimeUnit
import java.util.concurrent.locks.LockSupport
import kotlin.time.Duration

/** Things that can be opened one by one, and that stay idle until all are closed. */
internal interface Idlers : AutoCloseable {
    /** Opens one more and uses it once; returns when it is idle. */
    fun open()

    /** Closes all; returns when both ends have forgotten them. */
    fun closeAll()
}

/**
 * Measures what [count] idle things hold, both ends together, each: what is held while they are
 * open less what was before. [idlers] are used and closed once in advance, so what is made for the
 * first connection of a host and stays after its last is not counted.
 */
internal class FootprintProbe(
    private val idlers: Idlers,
    private val count: Int,
) : Probe {
    /** While one is taken, the one before it is still there: so they weigh alike in each other. */
    private var before = HeldMemory.now()

    init {
        before = HeldMemory.now()
        hold { }
        awaitEnd()
    }

    override fun measure(window: Duration): Sample =
        mapOf(Figure.KIBIBYTES to growthEach().sumOf { it.second } / KIBI)

    /** The growth of each class in bytes for each idle thing, most first. */
    fun growthEach(): List<Pair<String, Double>> {
        before = HeldMemory.now()
        val growth = hold { HeldMemory.now().growthSince(before) }
        awaitEnd()
        return growth.map { (name, bytes) -> name to bytes.toDouble() / count }
    }

    /** A closed connection can stay for some seconds more, by a timer that has yet to notice. */
    private fun awaitEnd() =
        await("closed connections to be forgotten") {
            HeldMemory.now().socketBytes <= before.socketBytes
        }

    private fun <T> hold(look: () -> T): T {
        try {
            repeat(count) { idlers.open() }
            return look()
        } finally {
            idlers.closeAll()
        }
    }

    override fun close() = idlers.close()

    private companion object {
        const val KIBI = 1024.0
    }
}

/** Waits until [condition] holds. */
internal fun await(
    what: String,
    condition: () -> Boolean,
) {
    val deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20)
    while (!condition()) {
        check(System.nanoTime() < deadline) { "waited too long for $what" }
        LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(200))
    }
}
