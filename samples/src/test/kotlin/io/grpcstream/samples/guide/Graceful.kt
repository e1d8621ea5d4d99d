package io.grpcstream.samples.guide

import io.grpcstream.kotlin.grpcPeer
import io.grpcstream.kotlin.shutdownAndAwait
import io.grpcstream.kotlin.startAndAwait
import kotlinx.coroutines.future.await
import kotlinx.coroutines.runBlocking
import kotlin.time.Duration.Companion.seconds

// guide: shutting-down/main
fun main(args: Array<String>) {
    val peer =
        grpcPeer {
            listen(args.firstOrNull() ?: "/ip4/0.0.0.0/tcp/4001")
            serve {
                service(Greeter())
                health()
            }
        }
    val end = Thread { runBlocking { peer.shutdownAndAwait(20.seconds) } }
    Runtime.getRuntime().addShutdownHook(end) // SIGTERM, Ctrl-C
    runBlocking {
        peer.startAndAwait()
        println("serving at ${peer.addresses().first()}")
        peer.closed().await()
    }
}
// end
