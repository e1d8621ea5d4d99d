package io.grpcstream.samples.benchmarks

import java.nio.file.Path
import kotlin.time.Duration.Companion.milliseconds

fun main(args: Array<String>) {
    val measures = measures(null)
    val only = args.drop(1)
    val effort = if (args.firstOrNull() == "short") Effort(4, 5, 400.milliseconds) else Effort(6, 9, 1000.milliseconds)
    if (args.first() == "profile") {
        val measure = measures.single { it.name == args[1] }
        measure.profile(measure.variants.single { it.name == args[2] }, effort, Path.of("target/profiles"))
        return
    }
    for (measure in measures) {
        if (only.isNotEmpty() && only.none { it in measure.name }) continue
        measure.run(effort).print()
    }
}
