package io.grpcstream.samples.gateway.demo

import io.grpc.BindableService
import io.grpcstream.GrpcPeer
import io.grpcstream.kotlin.grpcPeer
import io.grpcstream.kotlin.shutdownAndAwait
import io.grpcstream.kotlin.startAndAwait
import io.grpcstream.samples.gateway.Gateway
import io.grpcstream.samples.gateway.GatewayOptions
import io.grpcstream.samples.gateway.KnownPeer
import kotlinx.coroutines.runBlocking
import java.net.InetSocketAddress
import java.util.concurrent.CountDownLatch
import kotlin.time.Duration

/** Two peers and a gateway before them, in one process, until it is interrupted: `[PORT]`. */
fun main(args: Array<String>) {
    val port = args.firstOrNull()?.toInt() ?: 8080
    val demo = GatewayDemo()
    val gateway = runBlocking { demo.start(InetSocketAddress("127.0.0.1", port)) }
    Runtime.getRuntime().addShutdownHook(Thread(demo::close))
    println("Two peers are there, greeter and clock. Look at them, and call them: ${gateway.uri}")
    CountDownLatch(1).await() // Until the shutdown hook.
}

/** A greeter, a clock, and a gateway that knows them. */
internal class GatewayDemo : AutoCloseable {
    private val greeter = peer(GreeterService())
    private val clock = peer(ClockService())
    private var gateway: Gateway? = null

    private fun peer(service: BindableService): GrpcPeer =
        grpcPeer {
            listen("/ip4/127.0.0.1/tcp/0")
            serve {
                service(service)
                health()
                reflection() // From which the gateway knows what there is to call.
            }
        }

    suspend fun start(listen: InetSocketAddress): Gateway {
        greeter.startAndAwait()
        clock.startAndAwait()
        val known =
            listOf("greeter" to greeter, "clock" to clock).map { (name, peer) ->
                KnownPeer(name, peer.addresses().first())
            }
        val gateway = Gateway(GatewayOptions(known, listen))
        this.gateway = gateway
        gateway.start()
        return gateway
    }

    override fun close() =
        runBlocking {
            gateway?.shutdownAndAwait()
            greeter.shutdownAndAwait(Duration.ZERO)
            clock.shutdownAndAwait(Duration.ZERO)
        }
}
