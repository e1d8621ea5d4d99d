package io.grpcstream.samples.benchmarks

import io.netty.util.internal.PlatformDependent
import java.lang.management.ManagementFactory
import javax.management.ObjectName

/**
 * What this process holds: every reachable object of the heap, by class, and the direct memory that
 * Netty's allocators have taken, whether a buffer uses it now or not.
 *
 * What native libraries allocate for themselves is in neither.
 */
internal class HeldMemory private constructor(
    private val heap: Map<String, Long>,
    private val direct: Long,
) {
    /** Of sockets, and with each of all that one is used by. */
    val socketBytes: Long get() = heap.filterKeys { it.endsWith("SocketChannel") }.values.sum()

    /** The growth since [earlier] by class, most first; direct memory is among the classes. */
    fun growthSince(earlier: HeldMemory): List<Pair<String, Long>> =
        (heap.keys + earlier.heap.keys)
            .map { it to (heap[it] ?: 0) - (earlier.heap[it] ?: 0) }
            .plus(DIRECT to direct - earlier.direct)
            .filter { it.second != 0L }
            .sortedByDescending { it.second }

    companion object {
        const val DIRECT = "(direct memory)"

        private val diagnostics = ObjectName("com.sun.management:type=DiagnosticCommand")

        /** As it is after full collections; takes some tenths of a second. */
        fun now(): HeldMemory {
            // What one collection finds unreachable, cleaners and finalizers free for the next.
            repeat(2) { histogram() }
            return HeldMemory(histogram(), PlatformDependent.usedDirectMemory())
        }

        /** The bytes of each class, by the JVM's own count of what a full collection leaves. */
        private fun histogram(): Map<String, Long> {
            val text =
                ManagementFactory.getPlatformMBeanServer().invoke(
                    diagnostics,
                    "gcClassHistogram",
                    arrayOf<Any?>(null),
                    arrayOf(Array<String>::class.java.name),
                ) as String
            // "   1:     24890    2318504  [B (java.base@17.0.15)"
            return text
                .lineSequence()
                .map { it.trim().split(SPACES) }
                .filter {
                    it.size >= CLASS + 1 && it[0].endsWith(":") &&
                        it[BYTES].all(Char::isDigit)
                }.groupingBy { it[CLASS] }
                .fold(0L) { sum, row -> sum + row[BYTES].toLong() }
                .also { check(it.isNotEmpty()) { "no class histogram: $text" } }
        }

        private val SPACES = Regex(" +")
        private const val BYTES = 2
        private const val CLASS = 3
    }
}
