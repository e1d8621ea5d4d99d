package io.grpcstream.samples.shop.demo

import io.grpcstream.samples.shop.Money
import io.grpcstream.samples.shop.inventory.Article
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import java.nio.file.Path

/**
 * A whole shop in processes of its own: three replicas of the inventory, payments and orders.
 *
 * @param folder where its peers find each other, and keep their keys, stores and traces
 * @param stores the JDBC URL of the store of that service
 * @param shown hears each line that a process prints
 */
class Shop(
    val folder: Path,
    private val stores: (service: String) -> String = { "jdbc:sqlite:${folder.resolve("$it.db")}" },
    private val shown: (String) -> Unit = {},
) : AutoCloseable {
    /** Each replica of the inventory. */
    val inventory: List<ShopProcess> =
        List(REPLICAS) {
            process("inventory-${it + 1}", "inventory", "--stock", STOCK, "--currency", CURRENCY)
        }

    /** The one that charges. */
    val payments: ShopProcess =
        process("payments", "payments", "--credit", "$CREDIT", "--currency", CURRENCY)

    /** The one that takes orders. */
    val orders: ShopProcess = process("orders", "orders")

    /** All of them. */
    val all: List<ShopProcess> get() = inventory + payments + orders

    /** Starts all of them, and waits until they serve. */
    suspend fun start() = coroutineScope { all.forEach { launch { it.start() } } }

    private fun process(
        name: String,
        service: String,
        vararg settings: String,
    ) = ShopProcess(
        name,
        "io.grpcstream.samples.shop.$service.${service.replaceFirstChar(Char::uppercase)}Kt",
        settingsOf(name) + listOf("--store", stores(service)) + settings,
        shown,
    )

    /** What every peer in this shop is told. */
    fun settingsOf(name: String): List<String> =
        listOf("--name", name, "--peers", "$folder", "--traces", "$folder")

    override fun close() = all.forEach { it.close() }

    /** What all shops of the demo have. */
    companion object {
        private const val REPLICAS = 3
        private const val CURRENCY = "EUR"
        private const val STOCK = "tea=100000@350,cup=50000@1200,pot=40@4500"
        private const val CREDIT = 5_000_00L

        /** What the inventory is opened with. */
        val OPENING: List<Article> = Article.parse(STOCK, CURRENCY)

        /** What each customer may spend. */
        val CUSTOMERS_CREDIT: Money = Money(CREDIT, CURRENCY)
    }
}
