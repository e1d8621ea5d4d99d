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
  full [MEASURE...]        all of it; MEASURE is a name, or a part of several
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
    val measures = measures(go = null)
    val names = args.drop(1)
    val isUsed =
        when (args.firstOrNull()) {
            "short", "full" -> measures.select(names).isNotEmpty()
            "profile", "held" -> measures.variant(names) != null || "go-" in names.joinToString()
            "list" -> names.isEmpty()
            else -> false
        }
    if (!isUsed) {
        System.err.println(USAGE)
        exitProcess(2)
    }
    try {
        val target = Path.of("target")
        Go.build(Path.of("../interop/go"), target).use { go ->
            measures(go).use(args[0], names, target)
        }
    } catch (e: Exception) {
        e.printStackTrace()
        exitProcess(1) // Whatever threads the failure has left.
    }
}

private fun List<Measure>.use(
    command: String,
    names: List<String>,
    target: Path,
) {
    when (command) {
        "short" -> {
            select(names).filter { it.inShort || names.isNotEmpty() }.run(SHORT) { it.inShort }
        }

        "full" -> {
            select(names).run(FULL) { true }
        }

        "list" -> {
            forEach { measure ->
                println(measure.variants.joinToString(" ", "${measure.name}: ") { it.name })
            }
        }

        else -> {
            val variant = checkNotNull(variant(names)) { "there is no $names here" }
            if (command == "held") {
                printFootprint(variant)
            } else {
                variant.profile(names.joinToString("-"), FULL, target.resolve("profiles"))
            }
        }
    }
}

/** Those of such a name, or if there are none, those with such a part in it. */
private fun List<Measure>.select(names: List<String>): List<Measure> =
    if (names.isEmpty()) {
        this
    } else {
        filter { it.name in names }.ifEmpty {
            filter { measure ->
                names.any { it in measure.name }
            }
        }
    }

private fun List<Measure>.run(
    effort: Effort,
    takesPart: (Variant) -> Boolean,
) {
    println(
        "# ${Runtime.getRuntime().availableProcessors()} cores, JDK ${Runtime.version()}, " +
            "TLS by ${TlsProvider.best()}; medians of rounds in turns, and of their ratios",
    )
    forEach { it.run(effort, it.variants.filter(takesPart)).print() }
}

private fun List<Measure>.variant(names: List<String>): Variant? =
    find { it.name == names.getOrNull(0) }?.variants?.find { it.name == names.getOrNull(1) }
