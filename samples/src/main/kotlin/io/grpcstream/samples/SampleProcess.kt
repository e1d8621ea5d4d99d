package io.grpcstream.samples

import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.channels.trySendBlocking
import java.lang.management.ManagementFactory
import java.nio.file.Path
import kotlin.concurrent.thread

/**
 * A sample in a process of its own, in a JVM like this one.
 *
 * @param main the name of the class whose main function it runs
 * @param arguments those of that function
 * @param environment what to set for the process beside what this one has
 * @param shown hears each line that the process prints, on a thread of its own
 */
open class SampleProcess(
    main: String,
    arguments: List<String>,
    environment: Map<String, String> = emptyMap(),
    private val shown: (String) -> Unit = {},
) : AutoCloseable {
    /** The process itself. */
    val process: Process =
        ProcessBuilder(command() + main + arguments)
            .redirectErrorStream(true)
            .apply { environment().putAll(environment) }
            .start()

    private val printed = Channel<String>(Channel.UNLIMITED)
    private val input = process.outputWriter()

    init {
        thread(isDaemon = true, name = "sample-${process.pid()}") {
            process.inputReader().forEachLine {
                shown(it)
                printed.trySendBlocking(it)
            }
            printed.close()
        }
    }

    /**
     * Waits for the next line in which [pattern] is found, and returns what its first group matched,
     * or all of it. The lines before are passed over; fails if the process ends without such a line.
     */
    suspend fun await(pattern: Regex): String {
        val passed = mutableListOf<String>()
        for (line in printed) {
            val match = pattern.find(line)
            if (match != null) {
                return match.groupValues.getOrElse(1) { match.value }
            }
            passed += line
        }
        throw IllegalStateException(
            "process ${process.pid()} ended without \"$pattern\" in $passed",
        )
    }

    /** Types [line]. */
    fun type(line: String) {
        input.write(line)
        input.newLine()
        input.flush()
    }

    /** Ends its input, as Ctrl-D does. */
    fun hangUp() {
        input.close()
    }

    /** Kills it, so that it can say goodbye to nobody. */
    fun kill() {
        process.destroyForcibly()
    }

    override fun close() {
        kill()
        process.waitFor()
    }

    private companion object {
        fun command(): List<String> =
            listOf("${Path.of(System.getProperty("java.home"), "bin", "java")}") +
                ManagementFactory.getRuntimeMXBean().inputArguments.filterNot {
                    it.startsWith(
                        "-javaagent",
                    )
                } +
                listOf("-cp", System.getProperty("java.class.path"))
    }
}
