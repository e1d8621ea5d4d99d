package io.grpcstream.samples.shop.demo

import io.grpcstream.samples.SampleProcess
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runInterruptible

/**
 * A peer of the shop in a process of its own, which can be started anew. For one coroutine at a time.
 *
 * @param name what it is called in the directory
 * @param main the name of its main class
 * @param arguments its settings
 * @param shown hears each line that it prints
 */
class ShopProcess(
    val name: String,
    private val main: String,
    private val arguments: List<String>,
    private val shown: (String) -> Unit,
) : AutoCloseable {
    private var running: SampleProcess? = null

    /** Starts it, and waits until it serves. */
    suspend fun start() {
        check(running == null) { "$name is running" }
        val process = SampleProcess(main, arguments, shown = { shown("$name: $it") })
        running = process
        process.await(Regex("^$name serves at (\\S+)$"))
    }

    /** Kills it (SIGKILL): it can tell nobody. */
    suspend fun kill() {
        val exitCode = end { it.destroyForcibly() }
        check(exitCode != 0) { "$name ended before it was killed" }
    }

    /** Asks it to end, as Ctrl-C and most supervisors do (SIGTERM), and waits until it has. */
    suspend fun stop(): Int = end { it.destroy() }

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
}
