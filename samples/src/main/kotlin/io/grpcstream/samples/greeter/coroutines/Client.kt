package io.grpcstream.samples.greeter.coroutines

import io.grpc.StatusException
import io.grpcstream.GrpcStream
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineStub
import io.grpcstream.greeter.HelloReply
import io.grpcstream.greeter.HelloRequest
import io.grpcstream.greeter.helloRequest
import io.grpcstream.kotlin.grpcChannel
import io.grpcstream.kotlin.open
import io.grpcstream.kotlin.startAndAwait
import io.grpcstream.libp2p.Host
import io.grpcstream.libp2p.Multiaddr
import io.grpcstream.samples.addressOf
import io.grpcstream.samples.fail
import kotlinx.coroutines.flow.asFlow
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.runBlocking
import java.io.IOException
import kotlin.time.TimeSource

private val NAMES = listOf("Ada", "Grace", "Edsger")

/**
 * Calls the peer at the multiaddr `args[0]` in all four ways, and shows who answers and for each reply
 * the time since the call was made. It should end in the peer's id: another peer that answers there is
 * then not spoken to.
 */
fun main(args: Array<String>) {
    val address =
        args.singleOrNull() ?: fail(2, "Say whom to call: the multiaddr that the server prints.")
    try {
        runBlocking { call(addressOf(address)) }
    } catch (e: IOException) {
        fail(GrpcStream.statusOf(e)) // what a gRPC call would have failed with
    } catch (e: StatusException) {
        fail(e.status)
    }
}

private suspend fun call(address: Multiaddr) {
    Host.builder().build().use { host ->
        host.startAndAwait()
        println("calling as ${host.peerId()}")
        val stream = host.open(address, PROTOCOL)
        val channel = stream.grpcChannel()
        val greeter = GreeterCoroutineStub(channel)
        callAll(
            greeter,
        ) { kind -> println("${kind.padEnd(16)}  answered by ${stream.remotePeer()}") }
        channel.shutdown() // and with it the stream
    }
}

private suspend fun callAll(
    greeter: GreeterCoroutineStub,
    announce: (String) -> Unit,
) {
    val requests = NAMES.asFlow().map { request(it) }

    announce("unary")
    timed { print -> print(greeter.sayHello(request("Ada"))) }

    announce("server streaming")
    timed { print -> greeter.sayHelloStream(request("Ada")).collect { print(it) } }

    announce("client streaming")
    timed { print -> print(greeter.sayHelloMany(requests)) }

    announce("bidirectional")
    timed { print -> greeter.chat(requests).collect { print(it) } }
}

/** Gives [block] what prints a reply with the time since this call. */
private suspend fun timed(block: suspend ((HelloReply) -> Unit) -> Unit) {
    val start = TimeSource.Monotonic.markNow()
    block { reply ->
        val millis = start.elapsedNow().inWholeMicroseconds / 1e3
        println("  %11.2f ms  %s".format(millis, reply.message))
    }
}

private fun request(who: String): HelloRequest = helloRequest { name = who }
