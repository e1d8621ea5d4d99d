package io.grpcstream.samples.gateway.demo

import io.grpcstream.samples.gateway.Gateway
import io.grpcstream.samples.gateway.GatewayOptions
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.runBlocking
import java.net.InetSocketAddress
import java.nio.file.Path
import java.time.Duration
import java.util.concurrent.CountDownLatch
import kotlin.io.path.createDirectories
import kotlin.io.path.writeText

private const val DEVICES = 40

/** How long the printed token is good for. */
private val SHIFT = Duration.ofHours(8)

/**
 * The shop and the telemetry, in processes of their own, and a gateway before them in this one, until it
 * is interrupted: `[PORT]`. What they keep is in `target/uses`.
 */
fun main(args: Array<String>) {
    val port = args.firstOrNull()?.toInt() ?: 8080
    val folder = Path.of("target", "uses").toAbsolutePath().createDirectories()
    val shop = ShopUse(folder.resolve("shop"))
    val telemetry = TelemetryUse(folder.resolve("telemetry"), DEVICES)
    Runtime.getRuntime().addShutdownHook(
        Thread {
            telemetry.close()
            shop.close()
        },
    )
    println("A shop of five processes and $DEVICES devices start …")
    val peers =
        runBlocking(Dispatchers.Default) {
            val orders = async { shop.start() }
            listOf(telemetry.start(), orders.await())
        }
    val gateway =
        Gateway(
            GatewayOptions(
                peers,
                InetSocketAddress("127.0.0.1", port),
                identity = shop.key,
                static = TelemetryUse.DASHBOARD,
            ),
        )
    Runtime.getRuntime().addShutdownHook(Thread(gateway::close))
    runBlocking { gateway.start() }
    val token = folder.resolve("token.txt").apply { writeText("${shop.token("ada", SHIFT)}\n") }
    println(
        """
        |All peers, and their methods: ${gateway.uri}
        |The devices, live:           ${gateway.uri}static/index.html
        |Orders, as the customer ada, whose token is good until tonight:
        |  curl ${gateway.uri}peers/orders/v1/orders -H "authorization: Bearer ${'$'}(cat $token)" \
        |    --json '{"order_id": "ada-1", "lines": [{"sku": "tea", "quantity": 2}]}'
        """.trimMargin(),
    )
    CountDownLatch(1).await() // Until the shutdown hooks.
}
