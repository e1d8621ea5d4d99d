package io.grpcstream.samples.gateway

import com.fasterxml.jackson.databind.JsonNode
import io.grpcstream.samples.gateway.demo.ShopUse
import io.grpcstream.samples.gateway.rest.JSON
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DisplayName
import org.junit.jupiter.api.Tag
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import java.net.http.HttpResponse
import java.nio.file.Path
import java.time.Duration
import java.util.concurrent.TimeUnit
import kotlin.io.path.writeText
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes

/** The shop's own processes, and who orders of them from outside: by a gateway, and by a forwarded port. */
@Tag("interop")
class ShopTest {
    @Test
    @DisplayName(
        "A shop in processes has the same orders for gRPC-Web, JSON, REST and forwarded gRPC, also after it was killed",
    )
    fun orders(
        @TempDir folder: Path,
    ) = runBlocking(Dispatchers.IO) {
        Programs.installNode()
        val peercurl = Programs.peercurl()
        withTimeout(PATIENCE) {
            ShopUse(folder.resolve("shop")).use { shop ->
                val orders = shop.start()
                val token = folder.resolve("token")
                token.writeText("${shop.token("ada", LIFETIME)}\n")
                Gateway(GatewayOptions(listOf(orders), identity = shop.key)).use { gateway ->
                    gateway.start()
                    val customer =
                        Customer(Stage(emptyList(), gateway), shop.token("ada", LIFETIME))
                    val web = orderedByWeb(gateway, token, customer)
                    val forwarded =
                        orderedByDoor(
                            listOf("$peercurl", "forward", "0", "${orders.address}") +
                                // Whose peer is admitted.
                                listOf("--identity", "${shop.folder.resolve("storefront.key")}"),
                            token,
                            customer,
                            web,
                        )
                    survivesAKill(shop, customer, setOf(web, forwarded))
                    customer.isRefusedWithoutToken()
                }
            }
        }
    }

    /** Returns the order's id. */
    private suspend fun orderedByWeb(
        gateway: Gateway,
        token: Path,
        customer: Customer,
    ): String {
        val uri = "${gateway.uri}".trimEnd('/')
        val said =
            Programs.node("order.js", "--gateway", uri, "--shop-token-file", "$token", "tea", "2")
        assertEquals(CONFIRMED, said.output.trim().lines())
        val order = customer.orders().single()
        val id = order["orderId"].asText()
        assertEquals("ada", order["customer"].asText())
        assertEquals("tea", order["lines"].single()["sku"].asText())
        assertEquals(2, order["lines"].single()["quantity"].asInt())
        assertEquals("ORDER_STATE_CONFIRMED", order["state"].asText())
        assertEquals(order, customer.get("/v1/orders/$id"))
        assertEquals(order, customer.post("/shop.Orders/GetOrder", """{"orderId": "$id"}"""))
        return id
    }

    private suspend fun orderedByDoor(
        door: List<String>,
        token: Path,
        customer: Customer,
        before: String,
    ): String {
        Door(door).use {
            val said =
                Programs.node(
                    "order-forwarded.js",
                    it.address,
                    "--shop-token-file",
                    "$token",
                    "cup",
                    "3",
                )
            assertEquals(CONFIRMED, said.output.trim().lines())
            val refused = Programs.node("order-forwarded.js", it.address, "cup")
            assertEquals("status 16: the token: there is none", refused.output.trim())
        }
        val order = customer.orders().single { it["orderId"].asText() != before }
        assertEquals("cup", order["lines"].single()["sku"].asText())
        assertEquals("ORDER_STATE_CONFIRMED", order["state"].asText())
        return order["orderId"].asText()
    }

    private suspend fun survivesAKill(
        shop: ShopUse,
        customer: Customer,
        before: Set<String>,
    ) {
        val order = """{"order_id": "by-rest", "lines": [{"sku": "pot", "quantity": 1}]}"""
        val orders = shop.shop.orders
        orders.kill()
        val missed = customer.tryPost("/v1/orders", order)
        assertEquals("UNAVAILABLE", JSON.readTree(missed.body())["status"].asText())
        orders.start()
        // Under the same id, so that it stays one order however often it is placed.
        var placed = customer.tryPost("/v1/orders", order)
        while (placed.statusCode() == 503) {
            delay(PAUSE)
            placed = customer.tryPost("/v1/orders", order)
        }
        assertEquals(200, placed.statusCode(), placed.body())
        assertEquals("ORDER_STATE_CONFIRMED", JSON.readTree(placed.body())["state"].asText())
        assertEquals(
            before + "by-rest",
            customer.orders().map { it["orderId"].asText() }.toSet(),
        )
    }

    /** Who calls the orders by HTTP. */
    private class Customer(
        private val stage: Stage,
        token: String,
    ) {
        private val authorization = arrayOf("authorization", "Bearer $token")

        suspend fun orders(): List<JsonNode> = get("/v1/orders")["orders"].toList()

        suspend fun get(path: String): JsonNode = stage.get("$PEER$path", *authorization).json()

        suspend fun post(
            path: String,
            body: String,
        ): JsonNode = tryPost(path, body).json()

        suspend fun tryPost(
            path: String,
            body: String,
        ): HttpResponse<String> = stage.post("$PEER$path", body, *authorization)

        suspend fun isRefusedWithoutToken() {
            val refused = stage.get("$PEER/v1/orders")
            assertEquals(401, refused.statusCode())
            assertTrue(refused.body().contains("the token: there is none"), refused.body())
        }

        private fun HttpResponse<String>.json(): JsonNode {
            assertEquals(200, statusCode(), body())
            return JSON.readTree(body())
        }
    }

    /** A port that leads to a peer, by the executable. */
    private class Door(
        command: List<String>,
    ) : AutoCloseable {
        private val process =
            ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start()

        val address: String by lazy {
            val lines = generateSequence { process.inputReader().readLine() }
            lines.firstNotNullOfOrNull { LEADS.find(it)?.groupValues?.get(1) }
                ?: error("peercurl has ended with ${process.waitFor()}")
        }

        override fun close() {
            process.descendants().forEach { it.destroyForcibly() }
            process.destroyForcibly().waitFor(10, TimeUnit.SECONDS)
        }
    }

    private companion object {
        const val PEER = "/peers/orders"
        val CONFIRMED = listOf("ORDER_STATE_CONFIRMED", "  now ORDER_STATE_CONFIRMED")
        val LEADS = Regex("^(127\\.0\\.0\\.1:\\d+) leads to")
        val LIFETIME: Duration = Duration.ofMinutes(30)
        val PATIENCE = 4.minutes
        val PAUSE = 100.milliseconds
    }
}
