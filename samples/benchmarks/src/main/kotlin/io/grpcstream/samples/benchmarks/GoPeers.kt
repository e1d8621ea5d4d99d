package io.grpcstream.samples.benchmarks

import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import kotlin.time.Duration

/** Two peers of go-libp2p and grpc-go in one process beside this one, which do as they are told. */
internal class GoPeers private constructor(
    executable: Path,
    security: String,
) : AutoCloseable {
    private val process =
        ProcessBuilder(executable.toString(), "--security", security)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start()
    private val answers = process.inputReader()
    private val commands = process.outputWriter()

    init {
        expect("ready") { it == "ready" }
    }

    /** The numbers that [command] is answered with. */
    fun run(command: String): List<Double> {
        commands.write("$command\n")
        commands.flush()
        val answer = expect(command) { !it.startsWith("error") }
        return answer.split(' ').map { it.toDouble() }
    }

    private fun expect(
        what: String,
        isGood: (String) -> Boolean,
    ): String {
        val line = answers.readLine() ?: error("the Go peers ended at $what")
        check(isGood(line)) { "the Go peers answered $what with $line" }
        return line
    }

    override fun close() {
        commands.close()
        if (!process.waitFor(5, TimeUnit.SECONDS)) process.destroyForcibly()
    }

    companion object {
        /** Builds the program; null where there is no Go. */
        fun build(module: Path): ((security: String) -> GoPeers)? {
            val executable = Files.createTempDirectory("grpcstream").resolve("bench")
            val build =
                try {
                    ProcessBuilder("go", "build", "-o", executable.toString(), "./bench")
                        .directory(module.toFile())
                        .redirectErrorStream(true)
                        .start()
                } catch (_: java.io.IOException) {
                    return null
                }
            val output = build.inputReader().readText()
            check(build.waitFor() == 0) { "go build failed: $output" }
            executable.toFile().deleteOnExit()
            executable.parent.toFile().deleteOnExit()
            return { security -> GoPeers(executable, security) }
        }
    }
}

/** What the Go peers answer [command] with, as [figures]. The window's milliseconds are appended. */
internal class GoProbe(
    private val peers: GoPeers,
    private val command: String,
    private vararg val figures: Figure,
) : Probe {
    override fun measure(window: Duration): Sample =
        figures.zip(peers.run("$command ${window.inWholeMilliseconds}")).toMap()

    override fun close() = Unit
}
