package io.grpcstream.samples.chat

import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.shouldNotBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldNotContain
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import kotlin.time.Duration.Companion.minutes

private const val ANY = "/ip4/127.0.0.1/tcp/0"

/** Runs the sample as its users do: in processes of its own. */
class ChatSpec :
    StringSpec({
        "all who join one peer's room hear each other, and see who is killed and who leaves" {
            room(peers = 3) { (ada, grace, edsger) ->
                ada.type("hello")
                listOf(grace, edsger).forEach { it.hears(ada, "hello") }
                grace.type("hello, first")
                listOf(ada, edsger).forEach { it.hears(grace, "hello, first") }
                edsger.type("hello, all")
                listOf(ada, grace).forEach { it.hears(edsger, "hello, all") }

                grace.kill()
                listOf(ada, edsger).forEach { it.sees(grace, "left") }
                edsger.type("still here")
                ada.hears(edsger, "still here")

                edsger.process.destroy() // As Ctrl-C does.
                ada.sees(edsger, "left")

                ada.hangUp()
                ada.process.waitFor() shouldBe 0
            }
        }

        "the peer whose address was used to join may be the one that is killed" {
            room(peers = 3) { (ada, grace, edsger) ->
                ada.kill()
                listOf(grace, edsger).forEach { it.sees(ada, "left") }
                grace.type("and now?")
                edsger.hears(grace, "and now?")
            }
        }

        "what is said last before leaving still arrives" {
            room(peers = 2) { (ada, grace) ->
                grace.type("bye")
                grace.hangUp()
                ada.hears(grace, "bye")
                ada.sees(grace, "left")
                grace.process.waitFor() shouldBe 0
            }
        }

        "who cannot join is told why" {
            room(peers = 1) { (ada) ->
                val elsewhere = ada.address.replaceAfterLast('/', OTHER_PEER)
                ChatProcess("join", ANY, elsewhere).use {
                    it.await(Regex("^(UNAUTHENTICATED: .*)")) shouldContain OTHER_PEER
                    it.process.waitFor() shouldBe 1
                }
            }
        }

        "who gives no address of a peer is told what is wrong with it" {
            for (wrong in listOf("ada", "/ip4/127.0.0.1/tcp/1")) {
                ChatProcess("join", ANY, wrong).use {
                    it.await(Regex("(${Regex.escape(wrong)}.*)")) shouldNotContain "\tat "
                    it.process.waitFor() shouldNotBe 0
                }
            }
        }

        "whose address to listen on is missing or wrong is told which value it is" {
            ChatProcess("room").use {
                it.await(Regex("^Say where to listen: .*")) shouldContain "-Dlisten="
                it.process.waitFor() shouldBe 2
            }
            ChatProcess("room", "ada").use {
                it.await(Regex("^cannot listen on (.*)")) shouldContain "\"ada\""
                it.process.waitFor() shouldBe 2
            }
        }

        "who does not say whom to join is told how" {
            ChatProcess("join", ANY).use {
                it.await(Regex("^Say whom to join: .*")) shouldContain "-Dpeer="
                it.process.waitFor() shouldBe 2
            }
        }
    })

private const val OTHER_PEER = "12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X"

/** A peer of the test, whose [name] and [address] it has printed. */
private class Chatter(
    val chat: ChatProcess,
    val name: String,
    val address: String,
) {
    val process: Process get() = chat.process

    fun type(line: String) = chat.type(line)

    fun hangUp() = chat.hangUp()

    fun kill() = chat.kill()

    suspend fun sees(
        other: Chatter,
        what: String,
    ) = chat.await(Regex("^\\* ${other.name} $what$"))

    suspend fun hears(
        other: Chatter,
        line: String,
    ) = chat.await(Regex("^${other.name}  ${Regex.escape(line)}$"))
}

/** Runs [block] with so many peers in one room, each joining by the first one's address. */
private suspend fun room(
    peers: Int,
    block: suspend (List<Chatter>) -> Unit,
) = withContext(Dispatchers.IO) {
    val started = mutableListOf<ChatProcess>()
    try {
        withTimeout(2.minutes) {
            val chatters = mutableListOf<Chatter>()
            repeat(peers) {
                val entrance = chatters.firstOrNull()?.address
                val chat =
                    if (entrance ==
                        null
                    ) {
                        ChatProcess("room", ANY)
                    } else {
                        ChatProcess("join", ANY, entrance)
                    }
                started += chat
                val name = chat.await(Regex("^\\* you are (\\w{6});"))
                val met = mutableSetOf<String>()
                val newcomer =
                    chat
                        .awaitAddressAnd(
                            chatters.size,
                        ) { met += it }
                        .let { Chatter(chat, name, it) }
                met shouldBe chatters.map { it.name }.toSet()
                chatters.forEach { it.sees(newcomer, "joined") }
                chatters += newcomer
            }
            block(chatters)
        }
    } finally {
        started.forEach { it.close() }
    }
}

/** Waits for the invitation and for so many peers to join, in any order; returns the address. */
private suspend fun ChatProcess.awaitAddressAnd(
    peers: Int,
    joined: (String) -> Unit,
): String {
    var address: String? = null
    var missing = peers
    while (address == null || missing > 0) {
        val found = await(Regex("^(\\* \\w{6} joined$|\\* to join: .*)"))
        if (found.endsWith(" joined")) {
            joined(found.removePrefix("* ").removeSuffix(" joined"))
            missing--
        } else {
            address = found.substringAfter("-Dpeer=")
        }
    }
    return address
}
