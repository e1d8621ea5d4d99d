package io.grpcstream.samples.benchmarks

import org.HdrHistogram.Histogram
import org.HdrHistogram.Recorder
import java.lang.management.ManagementFactory
import java.util.concurrent.atomic.LongAdder
import kotlin.time.Duration
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.DurationUnit

/** Counts what a load gets done, from any thread. */
internal class Meter {
    private val completed = LongAdder()
    private val latencies = Recorder(3)

    /** Something without a latency worth noting is done. */
    fun done() = completed.increment()

    /** [units] of something are done. */
    fun done(units: Long) = completed.add(units)

    /** A call or round trip that began at [start], by `System.nanoTime()`, is done. */
    fun doneSince(start: Long) {
        completed.increment()
        latencies.recordValue(System.nanoTime() - start)
    }

    fun reset() {
        completed.reset()
        latencies.reset()
    }

    fun count(): Long = completed.sum()

    fun latencies(): Histogram = latencies.intervalHistogram
}

/** Work that goes on by itself between [start] and [stop], and notes what it does. */
internal interface Load {
    fun start(meter: Meter)

    /** Returns when nothing is under way any more. */
    fun stop()
}

/** What a load did in a window of time. */
internal class Window(
    val count: Long,
    val elapsed: Duration,
    val latencies: Histogram,
    private val cpu: Duration,
    private val allocatedBytes: Long,
) {
    val perSecond: Double get() = count / elapsed.toDouble(DurationUnit.SECONDS)

    /** Rate, latencies and cost of calls. */
    fun calls(): Sample = latencies(Figure.CALLS) + costs()

    /** Rate and cost of what has no latency of its own. */
    fun rate(figure: Figure): Sample = mapOf(figure to perSecond) + costs()

    fun latencies(rate: Figure): Sample =
        mapOf(
            rate to perSecond,
            Figure.P50 to latencies.getValueAtPercentile(50.0) / 1e3,
            Figure.P99 to latencies.getValueAtPercentile(99.0) / 1e3,
        )

    private fun costs(): Sample =
        mapOf(
            Figure.CPU to cpu.toDouble(DurationUnit.MICROSECONDS) / count,
            Figure.ALLOCATED to allocatedBytes.toDouble() / count,
        )

    companion object {
        private val system =
            ManagementFactory.getOperatingSystemMXBean()
                as com.sun.management.OperatingSystemMXBean
        private val threads =
            ManagementFactory.getThreadMXBean() as com.sun.management.ThreadMXBean

        /** Lets [load] run for a while, then observes it for [window]. */
        fun of(
            load: Load,
            window: Duration,
        ): Window {
            val meter = Meter()
            load.start(meter)
            try {
                Thread.sleep((window / SETTLING).inWholeMilliseconds)
                meter.reset()
                val allocated = allocatedBytes()
                val cpu = system.processCpuTime
                val start = System.nanoTime()
                var count: Long
                var elapsed: Duration
                do {
                    Thread.sleep(window.inWholeMilliseconds)
                    count = meter.count()
                    elapsed = (System.nanoTime() - start).nanoseconds
                    check(count > 0 || elapsed < PATIENCE) { "nothing was done in $elapsed" }
                } while (count == 0L)
                return Window(
                    count,
                    elapsed,
                    meter.latencies(),
                    (system.processCpuTime - cpu).nanoseconds,
                    allocatedBytes() - allocated,
                )
            } finally {
                load.stop()
            }
        }

        /** The part of a window that passes before it begins. */
        private const val SETTLING = 8

        /** How long a machine may be busy with something else. */
        private val PATIENCE = 20.seconds

        private fun allocatedBytes(): Long =
            threads.getThreadAllocatedBytes(threads.allThreadIds).filter { it > 0 }.sum()
    }
}
