package io.grpcstream.samples.peercurl

import org.junit.jupiter.api.Assertions
import org.junit.jupiter.api.Assumptions
import java.io.Closeable
import java.io.IOException
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.TimeUnit

/** A peer of `samples/interop`, which listens until it is closed. */
internal class OtherPeer private constructor(
    private val process: Process,
) : Closeable {
    private val errors = inBackground { process.errorReader().readText() }

    val address: String =
        inBackground<String?> { process.inputReader().readLine() }
            .get(PATIENCE_SECONDS, TimeUnit.SECONDS)
            ?: error("the peer has ended: ${errors.get()}")

    override fun close() {
        process.destroyForcibly()
    }

    companion object {
        private const val PATIENCE_SECONDS = 60L
        private const val BUILD_MINUTES = 5L
        private val interop = Path.of("..", "interop").toAbsolutePath().normalize()
        private val target = Path.of("target", "interop").toAbsolutePath()

        fun go(vararg options: String): OtherPeer {
            val binary = target.resolve("go-peer").toString()
            build("Go 1.26 or later", "go", listOf("go", "build", "-o", binary, "."))
            return start("go", listOf(binary, "listen") + options)
        }

        fun js(vararg options: String): OtherPeer {
            if (Files.exists(interop.resolve("js/node_modules"))) {
                build("Node.js 20 or later", "js", listOf("node", "--version"))
            } else {
                build("Node.js 20 or later", "js", listOf("npm", "ci", "--no-audit", "--no-fund"))
            }
            return start("js", listOf("node", ".", "listen") + options)
        }

        /** Where the language's tools are missing, the test is aborted, or fails on a build server. */
        private fun build(
            needs: String,
            folder: String,
            command: List<String>,
        ) {
            Files.createDirectories(target)
            val process =
                try {
                    process(folder, command).redirectErrorStream(true).start()
                } catch (e: IOException) {
                    if (System.getenv("CI").toBoolean()) Assertions.fail<Unit>("needs $needs", e)
                    Assumptions.abort<Process>("needs $needs: ${e.message}")
                }
            val said = inBackground { process.inputReader().readText() }
            try {
                check(process.waitFor(BUILD_MINUTES, TimeUnit.MINUTES)) { "$command does not end" }
                check(process.exitValue() == 0) { "$command: ${said.get()}" }
            } finally {
                process.destroyForcibly()
            }
        }

        private fun start(
            folder: String,
            command: List<String>,
        ): OtherPeer {
            val process = process(folder, command).start()
            return try {
                OtherPeer(process)
            } catch (e: Throwable) {
                process.destroyForcibly()
                throw e
            }
        }

        private fun process(
            folder: String,
            command: List<String>,
        ) = ProcessBuilder(command).directory(interop.resolve(folder).toFile())
    }
}
