package io.grpcstream.samples.edge

import io.grpcstream.libp2p.Multiaddr
import io.grpcstream.libp2p.PeerId
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.channels.trySendBlocking
import org.opentest4j.TestAbortedException
import java.io.IOException
import java.nio.file.Path
import kotlin.concurrent.thread

/** A peer of Edge's protocols in Go, as a process. */
internal class GoPeer(
    program: Path,
    vararg arguments: String,
) : AutoCloseable {
    private val process =
        ProcessBuilder(listOf("$program") + arguments).redirectErrorStream(true).start()
    private val printed = Channel<String>(Channel.UNLIMITED)

    init {
        thread(isDaemon = true, name = "go-peer-${process.pid()}") {
            process.inputReader().forEachLine { printed.trySendBlocking(it) }
            printed.close()
        }
    }

    /** Where it listens; to be asked for once, before all else. */
    suspend fun address(): Multiaddr = Multiaddr.parse(line("listening"))

    /** What the next line says that begins with [word]; those before are passed over. */
    suspend fun line(word: String): String {
        val passed = mutableListOf<String>()
        for (line in printed) {
            if (line.startsWith("$word ")) {
                return line.removePrefix("$word ")
            }
            passed += line
        }
        throw IllegalStateException("the peer in Go ended without a line \"$word\": $passed")
    }

    /** Waits until it has ended by itself, and returns its exit code. */
    fun exitCode(): Int = process.waitFor()

    /** Has it leave, as Ctrl-D does. */
    fun leave() {
        process.outputStream.close()
    }

    override fun close() {
        process.destroyForcibly().waitFor()
    }

    companion object {
        private val MODULE = Path.of("interop", "go")

        /**
         * Builds the program into [folder], and fails with what Go says if that cannot be done.
         * Without Go the tests that need it are aborted or, under CI, fail.
         */
        fun build(folder: Path): Path {
            val program = folder.resolve("edge").toAbsolutePath()
            val go =
                ProcessBuilder("go", "build", "-o", "$program", "./edge")
                    .directory(MODULE.toFile())
                    .redirectErrorStream(true)
            val build =
                try {
                    go.start()
                } catch (e: IOException) {
                    if (System.getenv("CI") != null) throw e
                    throw TestAbortedException("Go is missing: put the go command on the PATH", e)
                }
            val said = build.inputReader().readText()
            check(build.waitFor() == 0) { "go build failed in ${MODULE.toAbsolutePath()}:\n$said" }
            return program
        }
    }
}

/** The peer id in which this address ends. */
internal val Multiaddr.peer: PeerId get() = peerId().orElseThrow()
