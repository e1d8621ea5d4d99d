package io.grpcstream.samples.peercurl

import com.google.gson.JsonElement
import com.google.gson.JsonObject
import com.google.gson.JsonParser
import java.io.BufferedReader
import java.io.Closeable
import java.nio.file.Path
import java.util.concurrent.CompletableFuture
import java.util.concurrent.TimeUnit
import kotlin.concurrent.thread

/** What [work] returns, from a thread of its own: the common pool may have but one, and reading waits. */
internal fun <T> inBackground(work: () -> T): CompletableFuture<T> =
    CompletableFuture.supplyAsync(work) { thread(isDaemon = true, block = it::run) }

/** The executable that the module builds. */
internal object Executable {
    val path: Path =
        Path.of(
            checkNotNull(System.getProperty("peercurl")) {
                "run by Maven, or with -Dpeercurl=FILE"
            },
        )

    /** Runs it to its end. */
    fun run(
        vararg arguments: String,
        input: String = "",
        environment: Map<String, String> = emptyMap(),
    ): Ended =
        start(*arguments, environment = environment).use {
            it.write(input)
            it.endInput()
            it.end()
        }

    /** Runs it with each of these, all at the same time. */
    fun runAll(commands: List<List<String>>): List<Ended> =
        commands
            .map { inBackground { run(*it.toTypedArray()) } }
            .map { it.get() }

    fun start(
        vararg arguments: String,
        environment: Map<String, String> = emptyMap(),
    ): Running {
        val builder = ProcessBuilder(listOf(path.toString()) + arguments)
        builder.environment() += environment
        return Running(builder.start(), arguments.joinToString(" "))
    }
}

/** What was left of a program that has ended. */
internal class Ended(
    val exit: Int,
    val out: String,
    val err: String,
) {
    val lines: List<String> get() = out.lines().filter { it.isNotEmpty() }

    /** Its output, one JSON value a line. */
    val json: List<JsonElement> get() = lines.map(JsonParser::parseString)

    /** The error that --json tells. */
    val error: JsonObject
        get() =
            JsonParser
                .parseString(
                    err.lines().last {
                        it.isNotEmpty()
                    },
                ).asJsonObject
                .getAsJsonObject("error")

    override fun toString(): String = "exit code $exit\n--- out\n$out\n--- err\n$err"
}

/** One that runs, and ends with the test. */
internal class Running(
    private val process: Process,
    private val name: String,
) : Closeable {
    private val errors = inBackground { process.errorReader().readText() }
    private val output: BufferedReader = process.inputReader()

    val pid: Long get() = process.pid()

    fun write(text: String) {
        if (text.isEmpty()) return
        process.outputStream.write(text.toByteArray())
        process.outputStream.flush()
    }

    fun endInput() = process.outputStream.close()

    /** The next line of its output. */
    fun line(): String =
        inBackground<String?> { output.readLine() }.get(PATIENCE_SECONDS, TimeUnit.SECONDS)
            ?: error("$name has ended: ${errors.get()}")

    /** As Ctrl-C does. */
    fun interrupt() {
        check(ProcessBuilder("kill", "-INT", "$pid").start().waitFor() == 0)
    }

    /** Stops reading what it prints, as `head` does. */
    fun closeOutput() = output.close()

    fun end(): Ended {
        val rest = inBackground { runCatching { output.readText() }.getOrDefault("") }
        check(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) { "$name does not end" }
        return Ended(process.exitValue(), rest.get(), errors.get())
    }

    override fun close() {
        process.descendants().forEach { it.destroyForcibly() }
        process.destroyForcibly()
    }

    private companion object {
        const val PATIENCE_SECONDS = 60L
    }
}
