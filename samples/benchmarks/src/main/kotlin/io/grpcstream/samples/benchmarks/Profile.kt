package io.grpcstream.samples.benchmarks

import one.profiler.AsyncProfiler
import java.nio.file.Files
import java.nio.file.Path

/**
 * Where the variant spends its CPU time: prints the methods that have most of it, and writes a flame
 * graph of that [title] into [folder].
 */
internal fun Variant.profile(
    title: String,
    effort: Effort,
    folder: Path,
) {
    val file = Files.createDirectories(folder).resolve("$title.html")
    val profiler = AsyncProfiler.getInstance()
    open().use { probe ->
        repeat(effort.warmUps) { probe.measure(effort.window) }
        profiler.execute("start,event=cpu,interval=1ms")
        repeat(effort.rounds) { probe.measure(effort.window) }
        profiler.stop()
        profiler.execute("flat=40,traces=0").lines().forEach { println("# $it") }
        profiler.execute("flamegraph,file=$file")
    }
    println("# flame graph: $file")
}
