package io.grpcstream.samples.benchmarks

import java.io.OutputStream
import java.io.PrintStream
import java.util.concurrent.atomic.LongAdder

/**
 * Counts what is logged, by whatever logger: all of them write to the standard error stream. The
 * first lines of each kind of work are shown.
 */
internal class LogLines private constructor(
    private val to: PrintStream,
) : OutputStream() {
    private val lines = LongAdder()

    @Volatile
    private var show = 0L

    /** Lines so far. */
    fun count(): Long = lines.sum()

    /** Shows the next [lines] from now on, and only counts those after them. */
    fun show(lines: Int) {
        show = count() + lines
    }

    override fun write(byte: Int) {
        if (lines.sum() < show) to.write(byte)
        if (byte == '\n'.code) lines.increment()
    }

    override fun flush() = to.flush()

    companion object {
        /** From now on; before anything is logged. */
        fun count(): LogLines =
            LogLines(System.err).also { System.setErr(PrintStream(it, true, Charsets.UTF_8)) }
    }
}
