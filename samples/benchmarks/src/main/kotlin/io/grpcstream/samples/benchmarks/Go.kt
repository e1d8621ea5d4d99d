package io.grpcstream.samples.benchmarks

import java.io.IOException
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.CompletableFuture
import java.util.concurrent.TimeUnit
import kotlin.time.Duration

/** The peers in Go that do the same, if there is Go on this machine. */
internal class Go private constructor(
    private val executable: Path,
) : AutoCloseable {
    private val peers = mutableMapOf<String, GoPeers>()

    /** Both peers, over the secure channel of that name; started when first asked for. */
    fun peers(security: String): GoPeers =
        peers.getOrPut(security) { GoPeers(executable, security) }

    /** The same with each peer in a process of its own, as they are where networks are. */
    fun peersApart(security: String): GoPeers =
        peers.getOrPut("$security apart") {
            GoPeers(executable, security, peers(security).address())
        }

    override fun close() = peers.values.forEach { it.close() }

    companion object {
        /**
         * Builds the program in [module] into [folder]; null where there is no Go.
         *
         * @throws IllegalStateException if it does not build
         */
        fun build(
            module: Path,
            folder: Path,
        ): Go? {
            val executable = Files.createDirectories(folder).resolve("bench").toAbsolutePath()
            val build =
                try {
                    ProcessBuilder("go", "build", "-o", executable.toString(), "./bench")
                        .directory(module.toFile())
                        .redirectErrorStream(true)
                        .start()
                } catch (_: IOException) {
                    return null
                }
            val output = build.inputReader().readText()
            check(build.waitFor() == 0) { "go build failed: $output" }
            return Go(executable)
        }
    }
}

/**
 * Two peers of go-libp2p and grpc-go in one process beside this one, which do as they are told.
 *
 * @param peer where the server is, if it is that of another process
 */
internal class GoPeers(
    executable: Path,
    security: String,
    peer: String? = null,
) : AutoCloseable {
    private val process =
        ProcessBuilder(
            listOf(executable.toString(), "--security", security) +
                (peer?.let { listOf("--peer", it) } ?: emptyList()),
        ).redirectError(ProcessBuilder.Redirect.INHERIT)
            .start()
    private val output = process.inputReader()
    private val commands = process.outputWriter()

    init {
        val ready = answer(Duration.ZERO)
        check(ready == "ready") { "the Go peers began with $ready" }
    }

    /** Where the server in this process can be reached. */
    fun address(): String = ask("address", Duration.ZERO)

    /** Runs [command] in each round, with the window's milliseconds as its last word. */
    fun probe(
        command: String,
        vararg figures: Figure,
    ): Probe =
        object : Probe {
            override fun measure(window: Duration): Sample {
                val answer = ask("$command ${window.inWholeMilliseconds}", window)
                return figures.zip(answer.split(' ').map { it.toDouble() }).toMap()
            }

            override fun close() = Unit
        }

    private fun ask(
        command: String,
        window: Duration,
    ): String {
        commands.write("$command\n")
        commands.flush()
        val answer = answer(window)
        check(answer != null && !answer.startsWith("error")) {
            "the Go peers answered $command with $answer"
        }
        return answer
    }

    /** The next line; null if the process ends, as it must when it takes too long. */
    private fun answer(window: Duration): String? {
        val seconds = window.inWholeSeconds + PATIENCE_SECONDS
        val watch = CompletableFuture.delayedExecutor(seconds, TimeUnit.SECONDS)
        val end = CompletableFuture.runAsync({ process.destroyForcibly() }, watch)
        return output.readLine().also { end.cancel(false) }
    }

    override fun close() {
        commands.close()
        if (!process.waitFor(5, TimeUnit.SECONDS)) process.destroyForcibly()
    }

    private companion object {
        const val PATIENCE_SECONDS = 60L
    }
}

/** The same by Go, over each secure channel. */
internal fun goVariants(
    go: Go?,
    probe: (GoPeers) -> Probe,
): List<Variant> =
    if (go == null) {
        emptyList()
    } else {
        listOf("tls", "noise").map { Variant("go-$it") { probe(go.peers(it)) } }
    }
