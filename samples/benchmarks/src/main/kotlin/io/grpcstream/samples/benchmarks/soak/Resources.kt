package io.grpcstream.samples.benchmarks.soak

import com.sun.management.UnixOperatingSystemMXBean
import io.grpcstream.samples.benchmarks.format
import io.netty.util.internal.PlatformDependent
import java.lang.management.ManagementFactory

/** What this process holds at one moment. */
internal class Resources private constructor(
    private val values: Map<Resource, Double>,
) {
    operator fun get(resource: Resource): Double = values.getValue(resource)

    companion object {
        /** As it is after full collections. */
        fun now(): Resources {
            // What one collection finds unreachable, cleaners and finalizers free for the next.
            repeat(2) { System.gc() }
            return Resources(Resource.entries.associateWith { it.read() })
        }
    }
}

internal enum class Resource(
    val title: String,
    val unit: String,
    val decimals: Int,
    val read: () -> Double,
) {
    HEAP("heap", "MiB", 1, {
        ManagementFactory.getMemoryMXBean().heapMemoryUsage.used / MIB
    }),

    /** That Netty's allocators have taken, whether a buffer uses it now or not. */
    DIRECT("direct", "MiB", 1, { PlatformDependent.usedDirectMemory() / MIB }),
    THREADS("threads", "", 0, { ManagementFactory.getThreadMXBean().threadCount.toDouble() }),

    /** Open files and sockets; -1 where the system does not tell. */
    DESCRIPTORS("fds", "", 0, {
        (ManagementFactory.getOperatingSystemMXBean() as? UnixOperatingSystemMXBean)
            ?.openFileDescriptorCount
            ?.toDouble() ?: -1.0
    }),
}

private const val MIB = 1024.0 * 1024.0

/** Prints how resources develop, moment by moment. */
internal class Trend {
    private val samples = mutableListOf<Pair<Double, Resources>>()

    /** Notes what the process holds [minutes] after the start. */
    fun note(minutes: Double) {
        val now = Resources.now()
        samples += minutes to now
        print("minute ${minutes.format(1)}", now)
    }

    fun print(
        moment: String,
        resources: Resources,
    ) = println(
        "# ${moment.padEnd(LABEL)}" +
            Resource.entries
                .joinToString("") { resource ->
                    val value = resources[resource].format(resource.decimals)
                    "${resource.title} $value ${resource.unit}".trim().padEnd(COLUMN)
                }.trimEnd(),
    )

    /** How much a minute [resource] grew by, on the straight line nearest to all samples. */
    fun slope(resource: Resource): Double? {
        if (samples.size < 2) return null
        val time = samples.map { it.first }.average()
        val value = samples.map { it.second[resource] }.average()
        val spread = samples.sumOf { (at, _) -> (at - time) * (at - time) }
        return samples.sumOf { (at, it) -> (at - time) * (it[resource] - value) } / spread
    }

    private companion object {
        const val LABEL = 18
        const val COLUMN = 22
    }
}
