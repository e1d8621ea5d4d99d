package io.grpcstream.samples.chat

import io.grpc.Status
import io.grpc.StatusException
import io.grpcstream.GrpcStream
import io.grpcstream.samples.addressOf
import io.grpcstream.samples.fail
import io.grpcstream.samples.listenAddressOf
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import java.io.IOException
import java.nio.charset.Charset

private const val USAGE =
    "Say whom to join: -Dpeer=ADDRESS, with an address that a peer of the room prints."

private const val NO_LISTEN =
    "Say where to listen: -Dlisten=MULTIADDR, such as /ip4/127.0.0.1/tcp/0."

/**
 * Chats until standard input ends or Ctrl-C: `room LISTEN` opens a room, `join LISTEN PEER` joins the
 * one that the peer at the multiaddr PEER is in. LISTEN is the multiaddr to listen on.
 */
fun main(args: Array<String>) {
    val entrance =
        when {
            args.size == 2 && args[0] == "room" -> null
            args.size == 3 && args[0] == "join" -> addressOf(args[2])
            args.asList() == listOf("room") -> fail(2, NO_LISTEN)
            args.size in 1..2 && args[0] == "join" -> fail(2, USAGE)
            else -> fail(2, "not the arguments of a chat: ${args.asList()}. $NO_LISTEN $USAGE")
        }
    val peer = ChatPeer(listenAddressOf(args[1]), Screen(usesColour()), ::println)
    val failure = runUntilInterrupted { peer.chat(entrance, stdin().linesInBackground()) }
    failure?.let { fail(it) }
}

/** Runs [chat]; Ctrl-C cancels it and waits until it has ended. */
private fun runUntilInterrupted(chat: suspend () -> Unit): Status? {
    var failure: Status? = null
    runBlocking(Dispatchers.IO) {
        val job =
            launch {
                try {
                    chat()
                } catch (e: StatusException) {
                    failure = e.status
                } catch (e: IOException) {
                    failure = GrpcStream.statusOf(e) // cannot listen, as a rule
                }
            }
        Runtime.getRuntime().addShutdownHook(Thread { runBlocking { job.cancelAndJoin() } })
    }
    return failure
}

private fun stdin() =
    System.`in`.bufferedReader(Charset.forName(System.getProperty("native.encoding")))
