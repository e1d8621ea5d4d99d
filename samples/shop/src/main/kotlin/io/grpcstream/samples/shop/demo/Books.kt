package io.grpcstream.samples.shop.demo

import io.grpc.Channel
import io.grpcstream.libp2p.crypto.PrivateKey
import io.grpcstream.samples.shop.Money
import io.grpcstream.samples.shop.inventory.Article
import io.grpcstream.samples.shop.toMoney
import io.grpcstream.samples.shop.tokens.Role
import io.grpcstream.samples.shop.tokens.Tokens
import io.grpcstream.shop.Balance
import io.grpcstream.shop.InventoryGrpcKt.InventoryCoroutineStub
import io.grpcstream.shop.Order
import io.grpcstream.shop.OrderState
import io.grpcstream.shop.OrdersGrpcKt.OrdersCoroutineStub
import io.grpcstream.shop.PaymentsGrpcKt.PaymentsCoroutineStub
import io.grpcstream.shop.getBalanceRequest
import io.grpcstream.shop.listOrdersRequest
import io.grpcstream.shop.listStockRequest
import io.grpcstream.shop.Article as ArticleMessage

/** What the three services have in their books, to be compared with each other and with the customers. */
class Books(
    private val orders: List<Order>,
    private val stock: List<ArticleMessage>,
    private val balance: Balance,
) {
    /** One thing that must be so. */
    class Entry(
        /** What. */
        val what: String,
        /** On the one side. */
        val expected: Any,
        /** On the other one. */
        val found: Any,
    ) {
        /** Whether it is so. */
        val holds: Boolean get() = expected == found

        override fun toString(): String =
            if (holds) {
                "  ✓ %-48s %s".format(what, text(found))
            } else {
                "  ✗ %-48s %s, not %s".format(what, text(found), text(expected))
            }

        private fun text(value: Any) = if (value == emptyList<String>()) "none" else "$value"
    }

    private val confirmed = orders.filter { it.state == OrderState.ORDER_STATE_CONFIRMED }

    /** Compares all, given what the inventory was opened with and what the customers remember. */
    fun compare(
        opening: List<Article>,
        placed: Map<String, Customers.Placed>,
    ): List<Entry> =
        listOf(
            Entry("orders, as placed by customers", placed.size, orders.size),
            Entry("orders that were lost", emptyList<String>(), (placed.keys - ids()).sorted()),
            Entry(
                "orders that nobody has placed",
                emptyList<String>(),
                (ids() - placed.keys).sorted(),
            ),
            Entry(
                "orders not final",
                emptyList<String>(),
                orders
                    .filterNot {
                        it.state.isFinal
                    }.map { it.orderId },
            ),
            Entry(
                "orders not as their customers were told",
                emptyList<String>(),
                otherwise(placed),
            ),
        ) + opening.flatMap(::compare) +
            listOf(
                Entry("payments, as orders confirmed", confirmed.size.toLong(), balance.payments),
                Entry(
                    "charged, as the sum of orders confirmed",
                    sum(opening),
                    balance.charged.toMoney(),
                ),
            )

    private fun compare(opening: Article): List<Entry> {
        val now = stock.single { it.sku == opening.sku }
        val ordered =
            confirmed
                .flatMap { it.linesList }
                .filter { it.sku == opening.sku }
                .sumOf { it.quantity.toLong() }
        return listOf(
            Entry("${opening.sku} sold, as orders confirmed", ordered, now.sold),
            Entry("${opening.sku} missing, as sold", now.sold, opening.available - now.available),
            Entry("${opening.sku} still set aside", 0L, now.reserved),
        )
    }

    private fun ids() = orders.map { it.orderId }.toSet()

    private fun otherwise(placed: Map<String, Customers.Placed>) =
        orders.filter { it != placed[it.orderId]?.answer }.map { it.orderId }

    private fun sum(opening: List<Article>) =
        confirmed.fold(Money(0, opening.first().price.currency)) { sum, order ->
            sum +
                order.total.toMoney()
        }

    /** Asks for them. */
    companion object {
        /** The books as they are, asked for with tokens signed by the storefront's [key]. */
        suspend fun read(
            orders: Channel,
            inventory: Channel,
            payments: Channel,
            key: PrivateKey,
        ): Books {
            fun auditor(audience: String) = Tokens(key, "auditor", Role.AUDITOR, audience)
            return Books(
                allOf(OrdersCoroutineStub(orders).withCallCredentials(auditor("orders"))),
                InventoryCoroutineStub(inventory)
                    .withCallCredentials(auditor("inventory"))
                    .listStock(listStockRequest {})
                    .articlesList,
                PaymentsCoroutineStub(payments)
                    .withCallCredentials(auditor("payments"))
                    .getBalance(getBalanceRequest {}),
            )
        }

        private suspend fun allOf(orders: OrdersCoroutineStub): List<Order> =
            buildList {
                var token = ""
                do {
                    val page =
                        orders.listOrders(
                            listOrdersRequest {
                                pageSize = 1_000
                                pageToken = token
                            },
                        )
                    addAll(page.ordersList)
                    token = page.nextPageToken
                } while (token.isNotEmpty())
            }
    }
}
