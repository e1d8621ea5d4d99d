package io.grpcstream.samples.greeter.coroutines

import io.grpcstream.GrpcStream
import io.grpcstream.kotlin.grpcStream
import io.grpcstream.kotlin.shutdownAndAwait
import io.grpcstream.kotlin.startAndAwait
import io.grpcstream.libp2p.Host
import io.grpcstream.samples.fail
import io.grpcstream.samples.listenAddressOf
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import java.io.IOException
import kotlin.time.Duration.Companion.seconds

/** The libp2p protocol id under which the peers speak gRPC. */
internal const val PROTOCOL: String = "/greeter/1.0.0"

private const val ANY_PORT = "/ip4/127.0.0.1/tcp/0"
private val GRACE = 2.seconds

/**
 * A peer that greets whoever calls, until it is interrupted; on the multiaddr `args[0]`, by default
 * on any free TCP port of this machine.
 */
fun main(args: Array<String>) {
    val address = listenAddressOf(args.firstOrNull() ?: ANY_PORT)
    try {
        runBlocking {
            val serving = launch { serve(address) }
            Runtime.getRuntime().addShutdownHook(Thread { runBlocking { serving.cancelAndJoin() } })
        }
    } catch (e: IOException) {
        fail(GrpcStream.statusOf(e)) // cannot listen
    }
}

private suspend fun serve(address: String) {
    val grpc = grpcStream { service(GreeterService()) }.serve()
    val host = Host.builder().listen(address).build()
    host.handle(PROTOCOL, grpc.handler())
    try {
        host.startAndAwait()
        println("serving at ${host.listenAddresses().first()}")
        awaitCancellation()
    } finally {
        withContext(NonCancellable) {
            grpc.shutdownAndAwait(GRACE)
            host.shutdownAndAwait(GRACE)
        }
    }
}
