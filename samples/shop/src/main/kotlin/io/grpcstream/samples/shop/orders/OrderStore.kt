package io.grpcstream.samples.shop.orders

import io.grpcstream.samples.shop.Line
import io.grpcstream.samples.shop.Money
import io.grpcstream.samples.shop.orders.Order.State
import io.grpcstream.samples.shop.store.Database
import io.grpcstream.samples.shop.store.query
import io.grpcstream.samples.shop.store.update
import java.sql.Connection
import java.sql.ResultSet
import java.time.Instant

/** Orders in a database. */
class OrderStore(
    private val database: Database,
) : OrderBook {
    /** Creates what is not there yet. */
    suspend fun open() = database.create(TABLES)

    /** Whether the store is there. */
    suspend fun isThere(): Boolean = database.isThere("orders")

    override suspend fun place(order: Order): Order =
        database.transaction {
            val isNew =
                update(
                    "INSERT INTO orders (order_id, customer, state, reason, placed_at, trace) " +
                        "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (order_id) DO NOTHING",
                    order.id,
                    order.customer,
                    order.state.name,
                    order.reason,
                    order.placedAt.toEpochMilli(),
                    order.trace,
                ) == 1
            if (isNew) {
                order.lines.forEachIndexed { position, line ->
                    update(
                        "INSERT INTO order_lines (order_id, position, sku, quantity) VALUES (?, ?, ?, ?)",
                        order.id,
                        position,
                        line.sku,
                        line.quantity,
                    )
                }
            }
            checkNotNull(orderOrNull(order.id)) { "order ${order.id} was stored, and is not there" }
        }

    override suspend fun find(id: String): Order? = database.transaction { orderOrNull(id) }

    override suspend fun advance(
        order: Order,
        next: State,
        reason: String,
        lines: List<Line>?,
    ): Order =
        database.transaction {
            val advanced =
                update(
                    "UPDATE orders SET state = ?, reason = ? WHERE order_id = ? AND state = ?",
                    next.name,
                    reason,
                    order.id,
                    order.state.name,
                )
            if (advanced == 1) lines?.forEach { setPrice(order.id, it) }
            checkNotNull(orderOrNull(order.id)) { "order ${order.id} is not there any more" }
        }

    override suspend fun unfinished(
        after: String,
        limit: Int,
    ): List<String> =
        database.read {
            query(
                "SELECT order_id FROM orders WHERE state NOT IN ('CONFIRMED', 'CANCELLED') " +
                    "AND order_id > ? ORDER BY order_id LIMIT ?",
                after,
                limit,
            ) { it.getString("order_id") }
        }

    override suspend fun list(
        customer: String?,
        after: String,
        limit: Int,
    ): List<Order> =
        database.transaction {
            query(
                "SELECT * FROM orders WHERE order_id > ? AND (customer = ? OR ? = 1) " +
                    "ORDER BY order_id LIMIT ?",
                after,
                customer.orEmpty(),
                if (customer == null) 1 else 0,
                limit,
            ) { it.order(this) }
        }

    private fun Connection.setPrice(
        id: String,
        line: Line,
    ) {
        val price = checkNotNull(line.price) { "$line of order $id has no price" }
        update(
            "UPDATE order_lines SET price_minor = ?, currency = ? " +
                "WHERE order_id = ? AND sku = ?",
            price.minor,
            price.currency,
            id,
            line.sku,
        )
    }

    private fun Connection.orderOrNull(id: String): Order? =
        query("SELECT * FROM orders WHERE order_id = ?", id) { it.order(this) }.singleOrNull()

    private fun ResultSet.order(connection: Connection): Order {
        val id = getString("order_id")
        return Order(
            id,
            getString("customer"),
            connection.lines(id),
            Instant.ofEpochMilli(getLong("placed_at")),
            State.valueOf(getString("state")),
            getString("reason"),
            getString("trace"),
        )
    }

    private fun Connection.lines(id: String): List<Line> =
        query("SELECT * FROM order_lines WHERE order_id = ? ORDER BY position", id) {
            val currency = it.getString("currency")
            val price = if (currency == null) null else Money(it.getLong("price_minor"), currency)
            Line(it.getString("sku"), it.getInt("quantity"), price)
        }

    private companion object {
        val TABLES =
            listOf(
                """
                CREATE TABLE IF NOT EXISTS orders (
                  order_id TEXT PRIMARY KEY,
                  customer TEXT NOT NULL,
                  state TEXT NOT NULL,
                  reason TEXT NOT NULL,
                  placed_at BIGINT NOT NULL,
                  trace TEXT
                )
                """,
                """
                CREATE TABLE IF NOT EXISTS order_lines (
                  order_id TEXT NOT NULL,
                  position INT NOT NULL,
                  sku TEXT NOT NULL,
                  quantity INT NOT NULL,
                  price_minor BIGINT,
                  currency TEXT,
                  PRIMARY KEY (order_id, position)
                )
                """,
                // Few of many are not final, and they are looked for often.
                """
                CREATE INDEX IF NOT EXISTS unfinished_orders ON orders (order_id)
                WHERE state NOT IN ('CONFIRMED', 'CANCELLED')
                """,
            ).map { it.trimIndent() }
    }
}
