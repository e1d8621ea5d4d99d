package io.grpcstream.samples.benchmarks

import java.nio.file.Files
import java.nio.file.Path
import java.util.jar.JarEntry
import java.util.jar.JarOutputStream
import kotlin.io.path.isDirectory
import kotlin.io.path.name
import kotlin.io.path.relativeTo
import kotlin.time.Duration

/**
 * From the start of a JVM to the first reply, with both ends in it: what a tool that makes a call and
 * ends keeps its user waiting for, and the CPU time that it takes. In each round a fresh process.
 */
internal fun startMeasure(): Measure =
    Measure(
        "start",
        Start.entries.map { start -> Variant(start.title) { StartProbe(start) } },
        listOf(
            Start.TLS to Start.GRPC_NETTY_TLS,
            Start.NOISE to Start.GRPC_NETTY_TLS,
            Start.TLS_SHARED to Start.TLS,
            Start.TLS_SHARED_C1 to Start.TLS,
        ).flatMap { (of, to) ->
            listOf(Figure.FIRST_REPLY, Figure.START_CPU).map { Comparison(it, of.title, to.title) }
        },
        // A process has no use for rounds before the first that counts.
        effort = { Effort(0, it.rounds, it.window) },
    )

/**
 * How a process starts, and what is in it.
 *
 * @property pair what [start] makes its call with
 * @property isShared whether its classes are in an archive that the JVM maps, as
 *   `-XX:ArchiveClassesAtExit` makes it
 * @property flags further ones of the JVM
 */
internal enum class Start(
    val title: String,
    val pair: StartPair,
    val isShared: Boolean = false,
    val flags: List<String> = emptyList(),
) {
    TLS("tls", StartPair.TLS),
    NOISE("noise", StartPair.NOISE),
    TLS_SHARED("tls-shared", StartPair.TLS, isShared = true),
    TLS_SHARED_C1(
        "tls-shared-c1",
        StartPair.TLS,
        isShared = true,
        listOf("-XX:TieredStopAtLevel=1"),
    ),
    GRPC_NETTY_TLS("grpc-netty-tls", StartPair.GRPC_NETTY_TLS),
    GRPC_NETTY("grpc-netty", StartPair.GRPC_NETTY),
}

private class StartProbe(
    private val start: Start,
) : Probe {
    private val folder = Files.createTempDirectory("start")
    private val classPath = jars(folder)
    private val archive = folder.resolve("classes.jsa")

    init {
        if (start.isShared) {
            run("-XX:ArchiveClassesAtExit=$archive")
            check(Files.exists(archive)) { "the JVM made no archive of classes" }
        }
    }

    override fun measure(window: Duration): Sample =
        if (start.isShared) run("-XX:SharedArchiveFile=$archive") else run()

    private fun run(vararg flags: String): Sample {
        val java = Path.of(System.getProperty("java.home"), "bin", "java")
        val begun = System.nanoTime()
        val process =
            ProcessBuilder(
                listOf("$java", "--enable-native-access=ALL-UNNAMED") + start.flags + flags +
                    listOf("-cp", classPath, "io.grpcstream.samples.benchmarks.BenchmarksKt") +
                    listOf(STARTER, start.pair.name),
            ).redirectError(ProcessBuilder.Redirect.INHERIT)
                .start()
        process.outputStream.close()
        process.inputReader().use { output ->
            val passed = mutableListOf<String>()
            for (line in output.lineSequence()) {
                val replied = StartReport.of(line)
                if (replied == null) {
                    passed += line
                    continue
                }
                val millis = (System.nanoTime() - begun) / 1e6
                output.forEachLine { } // What the JVM says of its archive.
                process.waitFor()
                return mapOf(
                    Figure.FIRST_REPLY to millis,
                    Figure.START_CPU to replied.cpuMillis,
                    Figure.CLASSES to replied.classes,
                )
            }
            error("$start ended without a reply: $passed")
        }
    }

    override fun close() {
        folder.toFile().deleteRecursively()
    }
}

/** The class path with jars in place of folders, of whose classes the JVM makes no archive. */
private fun jars(folder: Path): String =
    System
        .getProperty("java.class.path")
        .split(java.io.File.pathSeparator)
        .map(Path::of)
        .mapIndexed {
            i,
            path,
            ->
            if (path.isDirectory()) jar(path, folder.resolve("$i.jar")) else path
        }.joinToString(java.io.File.pathSeparator)

private fun jar(
    classes: Path,
    file: Path,
): Path {
    JarOutputStream(Files.newOutputStream(file)).use { jar ->
        Files.walk(classes).use { files ->
            files.filter(Files::isRegularFile).forEach {
                jar.putNextEntry(
                    JarEntry(it.relativeTo(classes).joinToString("/") { part -> part.name }),
                )
                Files.copy(it, jar)
                jar.closeEntry()
            }
        }
    }
    return file
}
