package io.grpcstream.samples.chat

import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.channels.ReceiveChannel
import kotlinx.coroutines.channels.trySendBlocking
import java.io.BufferedReader
import java.io.Console
import kotlin.concurrent.thread

/**
 * Whether to use colour: if this is a terminal that has it and `NO_COLOR` is unset, or if
 * `CLICOLOR_FORCE` asks for it.
 */
fun usesColour(
    environment: Map<String, String> = System.getenv(),
    console: Console? = System.console(),
): Boolean =
    when {
        !environment["NO_COLOR"].isNullOrEmpty() -> false
        environment["CLICOLOR_FORCE"] == "1" -> true
        else -> console != null && isTerminal(console) && environment["TERM"] != "dumb"
    }

/** From Java 22 on a console need not be a terminal, and says so. */
private fun isTerminal(console: Console): Boolean {
    val method = Console::class.java.methods.find { it.name == "isTerminal" }
    return method == null || method.invoke(console) as Boolean
}

/**
 * The lines of this reader, until it ends. A thread reads them that does not keep the process alive:
 * reading from a terminal cannot be interrupted.
 */
fun BufferedReader.linesInBackground(): ReceiveChannel<String> {
    val lines = Channel<String>()
    thread(isDaemon = true, name = "stdin") {
        lineSequence().all { lines.trySendBlocking(it).isSuccess }
        lines.close()
    }
    return lines
}
