package io.grpcstream.samples.replicas

import io.grpc.health.v1.HealthCheckResponse.ServingStatus
import io.grpcstream.GrpcStream
import io.grpcstream.greeter.GreeterGrpc
import io.grpcstream.kotlin.grpcStream
import io.grpcstream.kotlin.withGrpcPeer
import io.grpcstream.samples.chat.linesInBackground
import io.grpcstream.samples.fail
import io.grpcstream.samples.listenAddressOf
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import java.io.IOException
import java.nio.file.Path

/** The libp2p protocol id under which the replicas speak gRPC. */
internal const val PROTOCOL: String = "/greeter/1.0.0"

private const val USAGE =
    "Say who the replica is and where it listens: KEYFILE MULTIADDR, " +
        "such as replica.key /ip4/127.0.0.1/tcp/4001."

/**
 * One of several peers that offer the same service: `KEYFILE MULTIADDR`. Started again with the same
 * file and address it is the same peer, to which its callers come back.
 *
 * It greets until it is interrupted (Ctrl-C, SIGTERM) or standard input ends. Then it takes no new
 * calls, tells its callers so, and lets those in flight finish. A [Mood] that is typed it takes on.
 */
fun main(args: Array<String>) {
    if (args.size != 2) {
        fail(2, USAGE)
    }
    val key = Path.of(args[0])
    val address = listenAddressOf(args[1])
    try {
        runBlocking {
            val serving = launch { serve(key, address) }
            Runtime.getRuntime().addShutdownHook(Thread { runBlocking { serving.cancelAndJoin() } })
        }
    } catch (e: IOException) {
        fail(GrpcStream.statusOf(e)) // no key in the file, or cannot listen
    }
}

private suspend fun serve(
    key: Path,
    address: String,
) {
    val greeter = MoodyGreeter()
    val grpc =
        grpcStream {
            // On the event loop, so that an answer leaves in one piece: of a call whose answer had
            // begun when its replica was killed, gRPC makes no second attempt.
            context = Dispatchers.Unconfined
            service(greeter)
            health()
        }
    withGrpcPeer({
        identity(key)
        listen(address)
        serve(PROTOCOL, grpc)
    }) { peer ->
        grpc.isServing(true)
        println("serving at ${peer.addresses().first()}")
        for (order in System.`in`.bufferedReader().linesInBackground()) {
            val mood = Mood.of(order.trim())
            if (mood == null) {
                println("no mood: \"$order\"; there are ${Mood.entries.map { it.order }}")
            } else {
                greeter.mood = mood
                grpc.isServing(mood != Mood.NOT_SERVING)
                println("now ${mood.order}")
            }
        }
    }
}

/** What callers are told that ask for the health of the greeter. */
private fun GrpcStream.isServing(serving: Boolean) {
    val status = if (serving) ServingStatus.SERVING else ServingStatus.NOT_SERVING
    healthStatus().setStatus(GreeterGrpc.SERVICE_NAME, status)
}
