// Examples of HTTP and of JSON are lines as they are.
@file:Suppress("ktlint:standard:max-line-length")

package io.grpcstream.samples.gateway

import io.grpc.Metadata
import io.grpc.Status
import io.grpc.StatusException
import io.grpcstream.kotlin.currentCall
import io.grpcstream.samples.gateway.demo.GatewayDemo
import io.grpcstream.shop.Order
import io.grpcstream.shop.OrderState
import io.grpcstream.shop.OrdersGrpcKt.OrdersCoroutineImplBase
import io.grpcstream.shop.PlaceOrderRequest
import io.grpcstream.shop.WatchOrderRequest
import io.grpcstream.shop.order
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.asFlow
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DisplayName
import org.junit.jupiter.api.Tag
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import java.net.InetSocketAddress
import java.net.URI
import java.nio.file.Path
import kotlin.io.path.readText
import kotlin.io.path.writeText

/** Programs of others, against the gateway: curl as the README has it, and Node.js with public packages. */
@Tag("interop")
class ClientsTest {
    private fun onDemo(test: (URI) -> Unit) =
        GatewayDemo().use { demo ->
            test(runBlocking { demo.start(InetSocketAddress("127.0.0.1", 0)) }.uri)
        }

    @Test
    @DisplayName("Each curl of the README prints what the README says")
    fun curl() {
        Programs.require("curl")
        val blocks =
            Regex(
                "```(console)\n(.*?)```",
                RegexOption.DOT_MATCHES_ALL,
            ).findAll(Path.of("README.md").readText())
                .map {
                    it.groupValues[2]
                }.toList()
        assertTrue(blocks.isNotEmpty(), "the README has no examples")
        onDemo { uri ->
            for (block in blocks) {
                for (example in block.split(Regex("(?m)^\\$ ")).filter { it.isNotBlank() }) {
                    val command = example.lines().takeWhileInclusive { it.endsWith("\\") }
                    val expected =
                        example
                            .lines()
                            .drop(command.size)
                            .joinToString("\n")
                            .trim()
                    val said =
                        Programs.run(
                            listOf(
                                "bash",
                                "-c",
                                command
                                    .joinToString(
                                        "\n",
                                    ).replace("http://localhost:8080/", uri.toString()),
                            ),
                        )
                    assertEquals(
                        expected.masked(),
                        said.output.masked(),
                        command.joinToString("\n"),
                    )
                }
            }
        }
    }

    /** What differs each time: times, and processes' ids. */
    private fun String.masked() =
        trim()
            .replace(
                Regex("\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?"),
                "TIME",
            ).replace(Regex("\\d{4}-\\d\\d-\\d\\d"), "DAY")

    private fun List<String>.takeWhileInclusive(more: (String) -> Boolean): List<String> =
        take(indexOfFirst { !more(it) } + 1)

    @Test
    @DisplayName("A Node.js client greets, and is told of what goes wrong")
    fun greet() {
        Programs.installNode()
        onDemo { uri ->
            val greeted = Programs.node("greet.js", "--gateway", "$uri".trimEnd('/'), "Ada")
            assertEquals(
                listOf("Hello, Ada!", "Hello, Ada!", "Bonjour, Ada!", "Hej, Ada!"),
                greeted.output.trim().lines(),
            )
            val wrong =
                Programs.node(
                    "greet.js",
                    "--gateway",
                    "$uri".trimEnd('/'),
                    "--peer",
                    "clock",
                    "Ada",
                )
            assertEquals(1, wrong.exitCode)
            assertTrue(wrong.output.startsWith("status 12: "), wrong.output)
        }
    }

    @Test
    @DisplayName(
        "A Node.js client orders of the shop, by a token of the shop's behind one of the gateway's",
    )
    fun order(
        @TempDir folder: Path,
    ) {
        Programs.installNode()
        val secret = "0123456789abcdef"
        val gatewayToken = folder.resolve("gateway").apply { writeText("$secret\n") }
        val shopToken = folder.resolve("shop").apply { writeText("of the shop\n") }
        runBlocking {
            onStage(Orders(), configure = { token = secret }) { stage ->
                val options =
                    arrayOf(
                        "--gateway",
                        "${stage.gateway.uri}".trimEnd('/'),
                        "--peer",
                        "peer0",
                        "--token-file",
                        "$gatewayToken",
                    )
                val ordered =
                    Programs.node(
                        "order.js",
                        *options,
                        "--shop-token-file",
                        "$shopToken",
                        "novel",
                        "2",
                    )
                val expected =
                    listOf(
                        "ORDER_STATE_PLACED",
                        "  now ORDER_STATE_RESERVED",
                        "  now ORDER_STATE_CONFIRMED",
                    )
                assertEquals(expected, ordered.output.trim().lines())
                assertTrue(
                    Programs.node("order.js", *options, "novel").output.startsWith("status 16: "),
                )
            }
        }
    }

    private class Orders : OrdersCoroutineImplBase() {
        override suspend fun placeOrder(request: PlaceOrderRequest): Order {
            if (currentCall().headers[TOKEN] !=
                "Bearer of the shop"
            ) {
                throw StatusException(Status.UNAUTHENTICATED)
            }
            check(request.linesList.single().quantity == 2) { "the order has come as $request" }
            return of(request.orderId, OrderState.ORDER_STATE_PLACED)
        }

        override fun watchOrder(request: WatchOrderRequest): Flow<Order> =
            listOf(OrderState.ORDER_STATE_RESERVED, OrderState.ORDER_STATE_CONFIRMED).asFlow().map {
                of(request.orderId, it)
            }

        private fun of(
            id: String,
            state: OrderState,
        ) = order {
            orderId = id
            this.state = state
        }
    }

    private companion object {
        val TOKEN: Metadata.Key<String> =
            Metadata.Key.of(
                "authorization",
                Metadata.ASCII_STRING_MARSHALLER,
            )
    }
}
