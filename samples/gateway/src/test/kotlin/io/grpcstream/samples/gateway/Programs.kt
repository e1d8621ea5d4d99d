package io.grpcstream.samples.gateway

import org.junit.jupiter.api.Assumptions.assumeTrue
import java.io.IOException
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import kotlin.io.path.exists
import kotlin.io.path.isExecutable
import kotlin.io.path.readBytes
import kotlin.io.path.writeBytes

/** Programs of others, and of other languages. */
internal object Programs {
    private const val PATIENCE = 240L
    private val NODE: Path = Path.of("node").toAbsolutePath()

    /** What a program has left. */
    class Said(
        val exitCode: Int,
        val output: String,
    )

    /** Runs a program of the folder `node`. */
    fun node(vararg arguments: String): Said = run(listOf("node") + arguments, NODE)

    /** Runs a program to its end. */
    fun run(
        command: List<String>,
        folder: Path = Path.of(".").toAbsolutePath(),
    ): Said {
        val process =
            ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true).start()
        try {
            process.outputStream.close()
            val output = process.inputReader().readText()
            check(process.waitFor(PATIENCE, TimeUnit.SECONDS)) { "$command does not end" }
            return Said(process.exitValue(), output)
        } finally {
            process.destroyForcibly()
        }
    }

    /** Where a program is missing, the test is skipped, or fails under CI. */
    fun require(program: String) {
        val isThere =
            try {
                run(listOf(program, "--version")).exitCode == 0
            } catch (_: IOException) {
                false
            }
        require(isThere, "there is no $program")
    }

    /** The executable of peercurl, which its module builds. */
    fun peercurl(): Path {
        val executable =
            Path
                .of(
                    "..",
                    "peercurl",
                    "target",
                    "peercurl",
                ).toAbsolutePath()
                .normalize()
        require(
            executable.isExecutable(),
            "there is no $executable: mvn package -DskipTests -pl samples/peercurl -am",
        )
        return executable
    }

    private fun require(
        isThere: Boolean,
        otherwise: String,
    ) {
        if (System.getenv("CI") != "true") assumeTrue(isThere, otherwise)
        check(isThere) { otherwise }
    }

    /** Installs what the programs of the folder `node` need, once for each package-lock.json. */
    fun installNode() {
        require("node")
        val lock = NODE.resolve("package-lock.json").readBytes()
        val installed = Path.of("target", "node-package-lock.json")
        if (NODE.resolve("node_modules").exists() && installed.exists() &&
            installed.readBytes().contentEquals(lock)
        ) {
            return
        }
        val said = run(listOf("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"), NODE)
        check(said.exitCode == 0) { said.output }
        installed.writeBytes(lock)
    }
}
