package io.grpcstream.samples.telemetry

import io.grpcstream.libp2p.Multiaddr
import io.grpcstream.libp2p.PeerId
import java.io.IOException
import java.nio.file.Path
import kotlin.io.path.readLines
import kotlin.system.exitProcess
import kotlin.time.Duration

/**
 * The arguments of a program: each is `--name=value`, and one without a value counts as not given. What
 * is wrong with one ends the program, and the user is told.
 *
 * @param known the names that there are, each with what it is for
 */
class Arguments(
    args: Array<String>,
    private val known: Map<String, String>,
) {
    private val values: Map<String, String> =
        args.associate { argument ->
            val name = argument.substringBefore('=').removePrefix("--")
            if (!argument.startsWith("--") || '=' !in argument || name !in known) {
                wrong("not an argument: \"$argument\"")
            }
            name to argument.substringAfter('=')
        }

    /** The value of [name], or else [default]; without one it has to be given. */
    fun text(
        name: String,
        default: String? = null,
    ): String =
        values[name]?.ifEmpty { null }
            ?: default
            ?: wrong("--$name= is missing")

    /** The file of that name; null if none is given. */
    fun file(name: String): Path? = values[name]?.ifEmpty { null }?.let(Path::of)

    /** A number of things. */
    fun count(
        name: String,
        default: Int,
    ): Int =
        text(name, "$default").let {
            it.toIntOrNull()?.takeIf { count -> count > 0 }
                ?: wrong("--$name=$it is no number above 0")
        }

    /** A duration, such as `500ms`. */
    fun duration(
        name: String,
        default: Duration,
    ): Duration =
        text(name, "$default").let {
            Duration.parseOrNull(it)?.takeIf { duration -> !duration.isNegative() }
                ?: wrong("--$name=$it is no duration, such as 500ms")
        }

    /** The address of a peer, with its id. */
    fun peerAddress(name: String): Multiaddr =
        text(name).let {
            try {
                Multiaddr.parse(it).also { address ->
                    if (address.peerId().isEmpty) {
                        wrong("--$name=$it names no peer: it lacks /p2p/ and the peer's id")
                    }
                }
            } catch (e: IllegalArgumentException) {
                wrong("--$name=$it is no multiaddr: ${e.message}")
            }
        }

    /** The peer ids in the file of that name, one a line, with a comment behind it if need be. */
    fun peers(name: String): Set<PeerId>? =
        file(name)?.let { file ->
            try {
                file
                    .readLines()
                    .map { it.substringBefore('#').trim() }
                    .filter(String::isNotEmpty)
                    .mapTo(HashSet(), PeerId::parse)
            } catch (e: IOException) {
                wrong("--$name=$file cannot be read: ${e.message}")
            } catch (e: IllegalArgumentException) {
                wrong("--$name=$file has a line that is no peer id: ${e.message}")
            }
        }

    private fun wrong(what: String): Nothing {
        System.err.println("$what. There are:")
        known.forEach { (name, use) -> System.err.println("  --$name=  $use") }
        exitProcess(2)
    }
}
