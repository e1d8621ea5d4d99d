package io.grpcstream.samples.telemetry

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assumptions.assumeTrue
import org.junit.jupiter.api.DisplayName
import org.junit.jupiter.api.Tag
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import java.io.IOException
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import kotlin.io.path.copyTo
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.writeText

/** The dashboard's own logic, in JavaScript, run by Node.js; how it looks is for the gateway's tests. */
@Tag("interop")
class DashboardTest {
    @Test
    @DisplayName("the dashboard's modules do what their tests in JavaScript say")
    fun modules(
        @TempDir folder: Path,
    ) {
        val node = hasNode()
        if (System.getenv("CI") == "true") assertTrue(node, "node is missing: $NEEDED")
        assumeTrue(node, "node is missing: $NEEDED")

        val sources = listOf("src/main/resources/dashboard" to "*.js", "src/test/js" to "*.mjs")
        for ((from, glob) in sources) {
            Path
                .of(
                    from,
                ).listDirectoryEntries(glob)
                .forEach { it.copyTo(folder.resolve(it.fileName)) }
        }
        // A browser is told that they are modules by the page.
        folder.resolve("package.json").writeText("{\"type\": \"module\"}")
        val output = folder.resolve("output").toFile()
        val process =
            ProcessBuilder("node", "--test", "dashboard.test.mjs")
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output)
                .apply { environment()["DASHBOARD"] = folder.toString() }
                .start()
        try {
            assertTrue(process.waitFor(1, TimeUnit.MINUTES), "node does not end")
            assertEquals(0, process.exitValue()) { output.readText() }
        } finally {
            process.destroyForcibly()
        }
    }

    private fun hasNode(): Boolean =
        try {
            ProcessBuilder("node", "--version").start().waitFor() == 0
        } catch (_: IOException) {
            false
        }

    private companion object {
        const val NEEDED = "Node.js 20 or later (https://nodejs.org)"
    }
}
