package io.grpcstream.samples.benchmarks

import io.grpcstream.libp2p.security.tls.TlsProvider
import java.nio.file.Path
import java.util.logging.Level
import java.util.logging.Logger
import kotlin.system.exitProcess
import kotlin.time.Duration.Companion.milliseconds

private val SHORT = Effort(warmUps = 4, rounds = 5, window = 300.milliseconds)
private val FULL = Effort(warmUps = 4, rounds = 7, window = 600.milliseconds)

private const val USAGE =
    """usage:
  short [MEASURE...]       what the bounds are about, in less than three minutes
  full [MEASURE...]        all of it; MEASURE is a part of the names of those wanted
  profile MEASURE VARIANT  where the CPU time goes, with a flame graph
  held MEASURE VARIANT     the classes that idle things are made of
  list                     the measures, and their variants"""

/** Each stream that ends in the midst of its messages would be a warning, with its stack. */
private val SILENT =
    Logger.getLogger("io.grpc.netty.NettyServerHandler").apply {
        level = Level.OFF
    }

/**
 * GrpcStream and its alternatives, side by side. Ends non-zero only when a variant cannot be run,
 * not for a ratio.
 */
fun main(args: Array<String>) {
    check(SILENT.level == Level.OFF) // Held here, since the log manager holds it weakly.
    val target = Path.of("target")
    Go.build(Path.of("../interop/go"), target).use { go ->
        val measures = measures(go)
        val names = args.drop(1)
        when (args.firstOrNull()) {
            "short" -> {
                measures.filter { it.inShort || names.isNotEmpty() }.run(
                    SHORT,
                    names,
                ) { it.inShort }
            }

            "full" -> {
                measures.run(FULL, names) { true }
            }

            "profile" -> {
                measures
                    .variant(
                        names,
                    ).profile(names.joinToString("-"), FULL, target.resolve("profiles"))
            }

            "held" -> {
                printFootprint(measures.variant(names))
            }

            "list" -> {
                measures.forEach { m ->
                    println("${m.name}: ${m.variants.joinToString { it.name }}")
                }
            }

            else -> {
                usage()
            }
        }
    }
}

private fun List<Measure>.run(
    effort: Effort,
    names: List<String>,
    takesPart: (Variant) -> Boolean,
) {
    println(
        "# ${Runtime.getRuntime().availableProcessors()} cores, JDK ${Runtime.version()}, " +
            "TLS by ${TlsProvider.best()}; medians of rounds in turns, and of their ratios",
    )
    filter { measure ->
        names.isEmpty() || measure.name in names ||
            names.any { it in measure.name && none { it.name in names } }
    }.ifEmpty { usage() }
        .forEach { it.run(effort, it.variants.filter(takesPart)).print() }
}

private fun List<Measure>.variant(names: List<String>): Variant =
    find { it.name == names.getOrNull(0) }?.variants?.find { it.name == names.getOrNull(1) }
        ?: usage()

private fun usage(): Nothing {
    System.err.println(USAGE)
    exitProcess(2)
}
