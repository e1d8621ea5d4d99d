package io.grpcstream.samples.peercurl.doors

import org.junit.jupiter.api.Assertions.fail
import org.junit.jupiter.api.Assumptions
import java.io.Closeable
import java.io.IOException
import java.nio.file.Path
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit
import kotlin.concurrent.thread
import kotlin.time.Duration
import kotlin.time.Duration.Companion.minutes

/** A program that a test runs: its lines as they come, and its end. It ends with the test. */
internal class Program(
    private val command: List<String>,
    directory: Path = Path.of(""),
    environment: Map<String, String> = emptyMap(),
) : Closeable {
    private val process: Process =
        ProcessBuilder(command)
            .directory(directory.toAbsolutePath().toFile())
            .redirectErrorStream(true)
            .apply { environment().putAll(environment) }
            .start()
    private val lines = LinkedBlockingQueue<String>()
    private val all = StringBuffer()

    init {
        thread(isDaemon = true, name = "reads $command") {
            process.inputStream.bufferedReader().useLines { seen ->
                seen.forEach {
                    all.append(it).append('\n')
                    lines += it
                }
            }
            lines += END
        }
    }

    /** The first line from here on that [pattern] is found in. */
    fun await(pattern: Regex): MatchResult {
        val end = System.nanoTime() + PATIENCE.inWholeNanoseconds
        while (true) {
            val line = lines.poll(end - System.nanoTime(), TimeUnit.NANOSECONDS)
            if (line == null || line == END) fail<Unit>("$command: no line with $pattern in:\n$all")
            pattern.find(line!!)?.let { return it }
        }
    }

    /** What it has written to its end, which must come in time, with exit code [exit]. */
    fun output(
        exit: Int = 0,
        patience: Duration = PATIENCE,
    ): String {
        if (!process.waitFor(patience.inWholeMilliseconds, TimeUnit.MILLISECONDS)) {
            fail<Unit>("$command did not end in $patience:\n$all")
        }
        while (true) if (lines.take() == END) break
        if (process.exitValue() !=
            exit
        ) {
            fail<Unit>("$command ended with ${process.exitValue()}:\n$all")
        }
        return all.toString()
    }

    /** As Ctrl-C and service managers end programs. */
    fun terminate() = process.destroy()

    override fun close() {
        process.descendants().forEach { it.destroyForcibly() }
        process.destroyForcibly()
    }

    companion object {
        private const val END = "\u0000"

        /**
         * Runs a program to its end, such as a compiler's. Where it is missing, the test is
         * aborted, or fails on a build server, which must have it.
         */
        fun require(
            command: List<String>,
            directory: Path,
            environment: Map<String, String> = emptyMap(),
        ) {
            try {
                Program(command, directory, environment).use { it.output(patience = 5.minutes) }
            } catch (e: IOException) {
                val missing = "this test needs ${command.first()}: ${e.message}"
                if (System.getenv("CI").toBoolean()) fail<Unit>(missing, e)
                Assumptions.abort<Unit>(missing)
            }
        }
    }
}
