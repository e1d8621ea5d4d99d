package io.grpcstream.samples.chat

/** The terminal of one of the peers of the demo, shown with the [name] of its user before each line. */
internal class DemoTerminal(
    private val name: String,
) : AutoCloseable {
    private var process: ChatProcess? = null

    /** The peer, once it is started. */
    val chat: ChatProcess get() = checkNotNull(process) { "$name is not started" }

    /** Starts the peer. */
    fun start(vararg arguments: String) {
        val environment = if (usesColour()) mapOf("CLICOLOR_FORCE" to "1") else emptyMap()
        process = ChatProcess(*arguments, environment = environment) { show(it) }
    }

    /** Types [line], and waits until all [others] see it. */
    suspend fun says(
        line: String,
        others: List<DemoTerminal>,
    ) {
        show("> $line")
        chat.type(line)
        others.forEach { it.chat.await(Regex("  " + Regex.escape(line))) }
    }

    /** Kills the peer. */
    fun kill() {
        show("killed")
        chat.kill()
    }

    /** Ends the peer's input, and waits until it has left. */
    fun hangUp() {
        show("> Ctrl-D")
        chat.hangUp()
        chat.process.waitFor()
    }

    /** Ends the peer, if it runs. */
    override fun close() {
        process?.close()
    }

    private fun show(line: String) {
        println(name.padEnd(NAME_WIDTH) + " | " + line)
    }

    private companion object {
        const val NAME_WIDTH = 6
    }
}
