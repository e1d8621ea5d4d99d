package io.grpcstream.samples.edge

import io.grpc.Status
import io.grpc.StatusException
import io.grpcstream.GrpcStream
import io.grpcstream.libp2p.Multiaddr
import io.grpcstream.libp2p.crypto.PrivateKey
import io.grpcstream.samples.addressOf
import io.grpcstream.samples.chainOf
import io.grpcstream.samples.fail
import io.grpcstream.samples.keyOf
import io.grpcstream.samples.listenAddressOf
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import java.io.IOException

/**
 * A peer of an Edge chain, until Ctrl-C: `KEYFILE LISTEN CHAIN [PEER]`. It has the key of that file,
 * made anew if there is none, listens on that multiaddr, on the chain of that id, and shows whom it
 * meets. The peer at the last multiaddr, if there is one, it meets first and shows what it learns from
 * it.
 */
fun main(args: Array<String>) {
    if (args.size !in 3..4) {
        fail(
            2,
            "Say which file holds the key, where to listen, the chain's id as a number, and " +
                "whom to meet, if anyone; not ${args.asList()}.",
        )
    }
    val listen = listenAddressOf(args[1])
    val chain = chainOf(args[2])
    val entrance = args.getOrNull(3)?.let(::addressOf)
    val options =
        EdgeOptions(chain, listen, identity = keyOf(args[0], PrivateKey::generateSecp256k1))
    var failure: Status? = null
    runBlocking(Dispatchers.Default) {
        val job =
            launch {
                try {
                    EdgePeer.run(options, ::show) { peer ->
                        peer.addresses.forEach { println("listening at $it, chain $chain") }
                        entrance?.let { peer.learnFrom(it) }
                        awaitCancellation()
                    }
                } catch (e: StatusException) {
                    failure = e.status
                } catch (e: IOException) {
                    failure = GrpcStream.statusOf(e) // cannot listen, as a rule
                }
            }
        Runtime.getRuntime().addShutdownHook(Thread { runBlocking { job.cancelAndJoin() } })
    }
    failure?.let { fail(1, describe(it)) }
}

private suspend fun EdgePeer.learnFrom(address: Multiaddr) {
    val other = meet(address).peer
    showUnlessRefused {
        val found = findPeers(other)
        println("$other knows ${found.size} other peers${if (found.isEmpty()) "" else ":"}")
        found.forEach { println("  $it") }
    }
    showUnlessRefused { println("$other has blocks up to ${newestBlock(other)}") }
}

/** Not every node has discovery turned on, or keeps blocks: then it shows why there is no answer. */
private suspend fun showUnlessRefused(ask: suspend () -> Unit) {
    try {
        ask()
    } catch (e: StatusException) {
        println(describe(e.status))
    }
}

private fun show(event: EdgeEvent) {
    when (event) {
        is EdgeEvent.Met -> {
            val how = if (event.introduction.temporary) ", only to ask" else ""
            println("met ${event.peer}, chain ${event.introduction.chain}$how")
        }

        is EdgeEvent.Refused -> {
            println("refused ${event.peer}: ${describe(event.status)}")
        }

        is EdgeEvent.Left -> {
            println("${event.peer} has left")
        }
    }
}

/** A status as text; it can hold what a peer has written, which shall not steer the terminal. */
private fun describe(status: Status): String =
    "${status.code}: ${status.description}"
        .map { if (it.isISOControl()) '?' else it }
        .joinToString("")
