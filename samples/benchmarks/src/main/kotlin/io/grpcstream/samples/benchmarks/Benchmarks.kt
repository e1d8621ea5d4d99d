package io.grpcstream.samples.benchmarks

import io.grpcstream.libp2p.security.tls.TlsSecurity
import io.grpcstream.samples.benchmarks.hostile.ATTACKER
import io.grpcstream.samples.benchmarks.hostile.Attack
import io.grpcstream.samples.benchmarks.hostile.Siege
import io.grpcstream.samples.benchmarks.hostile.attackerMain
import io.grpcstream.samples.benchmarks.hostile.hostile
import io.grpcstream.samples.benchmarks.soak.Fault
import io.grpcstream.samples.benchmarks.soak.soak
import java.nio.file.Path
import java.util.logging.Level
import java.util.logging.Logger
import kotlin.system.exitProcess
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

private val SHORT = Effort(warmUps = 4, rounds = 5, window = 300.milliseconds)
private val FULL = Effort(warmUps = 4, rounds = 7, window = 600.milliseconds)

/** Long after the compilers have had their share. */
private val PROFILED = Effort(warmUps = 15, rounds = 7, window = 600.milliseconds)

private val SIEGE = Siege(rounds = 5, window = 2.seconds)

/** What a soak does unless told otherwise. */
private const val SEED = 1L

/** As cuts are logged, too, a soak logs without end. */
private const val LOG_LINES = 20

private const val USAGE =
    """usage:
  short [MEASURE...]       what has bounds to keep, in less than three minutes
  full [MEASURE...]        all of it; MEASURE is a name, or a part of several
  profile MEASURE VARIANT  where the CPU time goes, with a flame graph
  held MEASURE VARIANT     the classes that idle things are made of
  soak MINUTES [SEED]      calls of all kinds while everything is cut: nothing may be lost
  hostile [ATTACK...]      an honest caller beside each attack: none of its calls may fail
  list                     the measures, and their variants"""

/** Each stream that ends in the midst of its messages would be a warning, with its stack. */
private val SILENT =
    Logger.getLogger("io.grpc.netty.NettyServerHandler").apply {
        level = Level.OFF
    }

/**
 * GrpcStream and its alternatives, side by side. Ends non-zero when a variant cannot be run, or when
 * something of a soak or of a hostile load is not 0 that must be; not for a ratio.
 */
fun main(args: Array<String>) {
    check(SILENT.level == Level.OFF) // Held here, since the log manager holds it weakly.
    if (args.firstOrNull() == ATTACKER) return attackerMain()
    if (args.firstOrNull() == STARTER) startMain(args[1])
    val names = args.drop(1)
    val complaint = complaint(args.firstOrNull(), names)
    if (complaint != null) {
        System.err.println("$complaint\n$USAGE")
        exitProcess(2)
    }
    when (args[0]) {
        "soak" -> {
            val seed = names.getOrNull(1)?.toLong() ?: SEED
            exit(soak(names[0].toInt(), seed, countLogLines().also { it.show(LOG_LINES) }))
        }

        "hostile" -> {
            val attacks = names.ifEmpty { Attack.entries.map { it.title } }
            exit(hostile(attacks.mapNotNull(Attack::named), SIEGE, countLogLines()))
        }
    }
    try {
        val target = Path.of("target").toAbsolutePath()
        Go.build(Path.of("../interop/go"), target).use { go ->
            measures(go).use(args[0], names, target)
        }
    } catch (e: Exception) {
        e.printStackTrace()
        exitProcess(1) // Whatever threads the failure has left.
    }
}

/** What is logged is part of the result: nothing is silent. */
private fun countLogLines(): LogLines {
    SILENT.level = null
    return LogLines.count()
}

private fun exit(asItMustBe: Boolean): Nothing = exitProcess(if (asItMustBe) 0 else 1)

/** What is wrong with the arguments, if anything is. */
private fun complaint(
    command: String?,
    names: List<String>,
): String? {
    val measures = measures(go = null)
    return when (command) {
        "list" -> {
            null
        }

        "short", "full" -> {
            names
                .find {
                    measures.named(it).isEmpty()
                }?.let { "no measure has $it in its name" }
        }

        "profile" -> {
            measures.complaint(names)
        }

        "held" -> {
            measures.filter { it.name.startsWith("idle-") }.complaint(names)
        }

        "soak" -> {
            "soak takes minutes, at least 1, and a seed if need be".takeUnless {
                names.size in 1..2 && (names[0].toIntOrNull() ?: 0) > 0 &&
                    names.drop(1).all { it.toLongOrNull() != null }
            }
        }

        "hostile" -> {
            "ATTACK is one of ${Attack.entries.joinToString { it.title }}".takeUnless {
                names.all { Attack.named(it) != null }
            }
        }

        else -> {
            "no command \"${command.orEmpty()}\": there are short, full, profile, held, soak, hostile and list"
        }
    }
}

private fun List<Measure>.complaint(names: List<String>): String? {
    val measure = find { it.name == names.getOrNull(0) }
    return when {
        measure == null -> none("MEASURE", names.getOrNull(0), map { it.name })

        variant(
            names,
        ) == null -> none("VARIANT", names.getOrNull(1), measure.variants.map { it.name })

        else -> null
    }
}

private fun none(
    what: String,
    given: String?,
    known: List<String>,
) = "no $what \"${given.orEmpty()}\": it is one of ${known.joinToString()}"

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
                println(measure.variants.joinToString(" ", "# ${measure.name}: ") { it.name })
            }
            println("# hostile: " + Attack.entries.joinToString(" ") { it.title })
            println("# soak: " + Fault.entries.joinToString(" ") { it.title })
        }

        "held" -> {
            printFootprint(checkNotNull(variant(names)))
        }

        else -> {
            checkNotNull(
                variant(names),
            ).profile(names.joinToString("-"), PROFILED, target.resolve("profiles"))
        }
    }
}

private fun List<Measure>.select(names: List<String>): List<Measure> =
    if (names.isEmpty()) this else names.flatMap { named(it) }.distinct()

/** That of this name, or if there is none, those with such a part in theirs. */
private fun List<Measure>.named(name: String): List<Measure> =
    filter { it.name == name }.ifEmpty { filter { name in it.name } }

private fun List<Measure>.run(
    effort: Effort,
    takesPart: (Variant) -> Boolean,
) {
    println(
        "# ${Runtime.getRuntime().availableProcessors()} cores, JDK ${Runtime.version()}, " +
            "TLS by ${TlsSecurity.bestProvider()}; medians of rounds in turns, and of their ratios",
    )
    forEach { it.run(effort, it.variants.filter(takesPart)).print() }
}

private fun List<Measure>.variant(names: List<String>): Variant? =
    find { it.name == names.getOrNull(0) }?.variants?.find { it.name == names.getOrNull(1) }
