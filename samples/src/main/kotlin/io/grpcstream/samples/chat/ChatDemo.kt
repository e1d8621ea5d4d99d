package io.grpcstream.samples.chat

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import kotlin.time.Duration.Companion.minutes

private const val LISTEN = "/ip4/127.0.0.1/tcp/0"
private val PATIENCE = 1.minutes

/**
 * Three peers as three processes: they meet, talk, one is killed and one leaves, and the others
 * notice. Each line shows whose terminal it is on; what is typed there stands behind a `>`.
 */
fun main() {
    val ada = DemoTerminal("ada")
    val grace = DemoTerminal("grace")
    val edsger = DemoTerminal("edsger")
    val all = listOf(ada, grace, edsger)
    try {
        runBlocking(Dispatchers.IO) {
            withTimeout(PATIENCE) {
                ada.start("room", LISTEN)
                val address = ada.chat.address()
                for (newcomer in listOf(grace, edsger)) {
                    newcomer.start("join", LISTEN, address)
                    for (member in all.takeWhile { it !== newcomer }) {
                        member.chat.await(JOINED)
                        newcomer.chat.await(JOINED)
                    }
                }
                talk(all)
                edsger.kill()
                listOf(ada, grace).forEach { it.chat.await(LEFT) }
                ada.says("Edsger is gone.", listOf(grace))
                grace.hangUp()
                ada.chat.await(LEFT)
                ada.hangUp()
            }
        }
    } finally {
        all.forEach { it.close() }
    }
}

private suspend fun talk(all: List<DemoTerminal>) {
    val (ada, grace, edsger) = all
    ada.says("Hello, both of you!", listOf(grace, edsger))
    grace.says("Hello! No server in between?", listOf(ada, edsger))
    edsger.says("None. Each of us calls each other.", listOf(ada, grace))
}

private val JOINED = Regex(" joined$")
private val LEFT = Regex(" left$")
