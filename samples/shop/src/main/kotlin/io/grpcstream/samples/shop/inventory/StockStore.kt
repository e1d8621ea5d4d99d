package io.grpcstream.samples.shop.inventory

import io.grpcstream.samples.shop.Conflict
import io.grpcstream.samples.shop.Line
import io.grpcstream.samples.shop.Money
import io.grpcstream.samples.shop.NotFound
import io.grpcstream.samples.shop.inventory.Reservation.State
import io.grpcstream.samples.shop.requireId
import io.grpcstream.samples.shop.requireOrderable
import io.grpcstream.samples.shop.sameGoodsAs
import io.grpcstream.samples.shop.store.Database
import io.grpcstream.samples.shop.store.query
import io.grpcstream.samples.shop.store.update
import java.sql.Connection
import java.sql.ResultSet

/**
 * The stock, and what is set aside of it, in a database that all replicas share.
 *
 * There is one row for an order's reservation, and who inserts it, or takes it from one state to the
 * next, moves the goods in the same transaction; whoever comes later finds it done. So each function
 * can be called again, at any replica, also long after it seemed to have failed.
 */
class StockStore(
    private val database: Database,
) {
    /** Creates what is not there yet, and puts in those [articles] that are not known yet. */
    suspend fun open(articles: List<Article>) {
        database.create(TABLES)
        database.transaction {
            for (article in articles) {
                update(
                    "INSERT INTO stock (sku, price_minor, currency, available, reserved, sold) " +
                        "VALUES (?, ?, ?, ?, 0, 0) ON CONFLICT (sku) DO NOTHING",
                    article.sku,
                    article.price.minor,
                    article.price.currency,
                    article.available,
                )
            }
        }
    }

    /** Whether the store is there. */
    suspend fun isThere(): Boolean = database.isThere("stock")

    /** All articles, by their names. */
    suspend fun articles(): List<Article> =
        database.read { query("SELECT * FROM stock ORDER BY sku") { it.article() } }

    /** One article; fails with [NotFound] if there is none. */
    suspend fun article(sku: String): Article =
        database.read { articleOrNull(sku) } ?: throw NotFound("no article $sku")

    /** Sets all [lines] aside, or none. Fails with [Conflict] if others were for that order. */
    suspend fun reserve(
        orderId: String,
        lines: List<Line>,
    ): Reservation {
        requireOrderable(orderId, lines)
        return database.transaction {
            if (!insert(orderId, State.HELD)) {
                return@transaction reservation(orderId).also { it.requireSameGoods(lines) }
            }
            val undo = setSavepoint()
            // In the same order for all, so that no two wait for each other.
            val missing = lines.sortedBy { it.sku }.firstNotNullOfOrNull { setAside(it) }
            if (missing != null) {
                rollback(undo)
                update(
                    "UPDATE reservations SET state = ?, reason = ? WHERE order_id = ?",
                    State.REJECTED.name,
                    missing,
                    orderId,
                )
            }
            lines.forEachIndexed { position, line -> insert(orderId, position, line) }
            reservation(orderId)
        }
    }

    /** Sells what is set aside; fails with [NotFound] if the order has no reservation. */
    suspend fun commit(orderId: String): Reservation =
        database.transaction {
            if (advance(orderId, State.COMMITTED)) {
                move(orderId, "sold")
            }
            reservation(orderId)
        }

    /** Puts back what is set aside, and sees to it that nothing will be any more. */
    suspend fun release(orderId: String): Reservation {
        requireId(orderId)
        return database.transaction {
            if (!insert(orderId, State.RELEASED) && advance(orderId, State.RELEASED)) {
                move(orderId, "available")
            }
            reservation(orderId)
        }
    }

    /** Whether it was this call that did it; another one's under way is waited for. */
    private fun Connection.insert(
        orderId: String,
        state: State,
    ): Boolean =
        update(
            "INSERT INTO reservations (order_id, state, reason) VALUES (?, ?, '') " +
                "ON CONFLICT (order_id) DO NOTHING",
            orderId,
            state.name,
        ) == 1

    private fun Connection.insert(
        orderId: String,
        position: Int,
        line: Line,
    ) = update(
        "INSERT INTO reservation_lines " +
            "(order_id, position, sku, quantity, price_minor, currency) VALUES (?, ?, ?, ?, " +
            "(SELECT price_minor FROM stock WHERE sku = ?), " +
            "(SELECT currency FROM stock WHERE sku = ?))",
        orderId,
        position,
        line.sku,
        line.quantity,
        line.sku,
        line.sku,
    )

    private fun Connection.advance(
        orderId: String,
        state: State,
    ): Boolean =
        update(
            "UPDATE reservations SET state = ? WHERE order_id = ? AND state = ?",
            state.name,
            orderId,
            State.HELD.name,
        ) == 1

    /** Sets one line aside, or returns why it cannot. */
    private fun Connection.setAside(line: Line): String? {
        val done =
            update(
                "UPDATE stock SET available = available - ?, reserved = reserved + ? " +
                    "WHERE sku = ? AND available >= ?",
                line.quantity,
                line.quantity,
                line.sku,
                line.quantity,
            )
        if (done == 1) return null
        val article = articleOrNull(line.sku) ?: return "no article ${line.sku}"
        return "$line wanted, ${article.available} left"
    }

    private fun Connection.move(
        orderId: String,
        to: String,
    ) {
        for (line in lines(orderId).sortedBy { it.sku }) {
            update(
                "UPDATE stock SET reserved = reserved - ?, $to = $to + ? WHERE sku = ?",
                line.quantity,
                line.quantity,
                line.sku,
            )
        }
    }

    private fun Connection.reservation(orderId: String): Reservation =
        query("SELECT state, reason FROM reservations WHERE order_id = ?", orderId) {
            val state = State.valueOf(it.getString("state"))
            Reservation(orderId, state, lines(orderId), it.getString("reason"))
        }.singleOrNull() ?: throw NotFound("no reservation for order $orderId")

    private fun Connection.lines(orderId: String): List<Line> =
        query("SELECT * FROM reservation_lines WHERE order_id = ? ORDER BY position", orderId) {
            val currency = it.getString("currency")
            val price = if (currency == null) null else Money(it.getLong("price_minor"), currency)
            Line(it.getString("sku"), it.getInt("quantity"), price)
        }

    private fun Connection.articleOrNull(sku: String): Article? =
        query("SELECT * FROM stock WHERE sku = ?", sku) { it.article() }.singleOrNull()

    private fun ResultSet.article() =
        Article(
            getString("sku"),
            Money(getLong("price_minor"), getString("currency")),
            getLong("available"),
            getLong("reserved"),
            getLong("sold"),
        )

    private fun Reservation.requireSameGoods(wanted: List<Line>) {
        // One that was released before it was made has none.
        if (lines.isNotEmpty() && !lines.sameGoodsAs(wanted)) {
            throw Conflict("order $orderId has a reservation of $lines, not of $wanted")
        }
    }

    private companion object {
        val TABLES =
            listOf(
                """
                CREATE TABLE IF NOT EXISTS stock (
                  sku TEXT PRIMARY KEY,
                  price_minor BIGINT NOT NULL,
                  currency TEXT NOT NULL,
                  available BIGINT NOT NULL CHECK (available >= 0),
                  reserved BIGINT NOT NULL CHECK (reserved >= 0),
                  sold BIGINT NOT NULL CHECK (sold >= 0)
                )
                """,
                """
                CREATE TABLE IF NOT EXISTS reservations (
                  order_id TEXT PRIMARY KEY,
                  state TEXT NOT NULL,
                  reason TEXT NOT NULL
                )
                """,
                """
                CREATE TABLE IF NOT EXISTS reservation_lines (
                  order_id TEXT NOT NULL,
                  position INT NOT NULL,
                  sku TEXT NOT NULL,
                  quantity INT NOT NULL,
                  price_minor BIGINT,
                  currency TEXT,
                  PRIMARY KEY (order_id, position)
                )
                """,
            ).map { it.trimIndent() }
    }
}
