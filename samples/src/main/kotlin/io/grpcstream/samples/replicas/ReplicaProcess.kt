package io.grpcstream.samples.replicas

import io.grpcstream.libp2p.Multiaddr
import io.grpcstream.libp2p.PeerId
import io.grpcstream.samples.SampleProcess
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runInterruptible
import java.nio.file.Path

/**
 * A replica in a process of its own, which can be started anew: it has its key and, from its first
 * start on, its port. For one coroutine at a time.
 *
 * @param name what it is called where it is shown
 * @param folder where its key is kept
 */
class ReplicaProcess(
    val name: String,
    private val folder: Path,
) : AutoCloseable {
    private var running: SampleProcess? = null
    private var known: Multiaddr? = null

    /** Where it is reached, once it was started; ends in its id. */
    val address: Multiaddr get() = checkNotNull(known) { "$name was never started" }

    /** Its id, once it was started. */
    val peer: PeerId get() = address.peerId().orElseThrow()

    /** Starts it, and waits until it serves. */
    suspend fun start() {
        check(running == null) { "$name is running" }
        val listen = known?.withoutPeerId()?.toString() ?: ANY_PORT
        val process = SampleProcess(MAIN, listOf("${folder.resolve("$name.key")}", listen))
        running = process
        known = Multiaddr.parse(process.await(SERVING))
    }

    /** Kills it (SIGKILL): it can tell nobody. */
    suspend fun kill() {
        val process = end { it.destroyForcibly() }
        check(process != 0) { "$name ended before it was killed" }
    }

    /** Asks it to end, as Ctrl-C and most supervisors do (SIGTERM), and waits until it has. */
    suspend fun stop() {
        end { it.destroy() }
    }

    /** Has it take on [mood], and waits until it has. */
    suspend fun become(mood: Mood) {
        val process = checkNotNull(running) { "$name is not running" }
        process.type(mood.order)
        process.await(Regex("^now ${mood.order}$"))
    }

    private suspend fun end(how: (Process) -> Unit): Int {
        val process = checkNotNull(running) { "$name is not running" }.process
        how(process)
        val exitCode = runInterruptible(Dispatchers.IO) { process.waitFor() }
        running = null
        return exitCode
    }

    override fun close() {
        running?.close()
        running = null
    }

    private companion object {
        const val MAIN = "io.grpcstream.samples.replicas.ReplicaKt"
        const val ANY_PORT = "/ip4/127.0.0.1/tcp/0"
        val SERVING = Regex("^serving at (\\S+)$")
    }
}
