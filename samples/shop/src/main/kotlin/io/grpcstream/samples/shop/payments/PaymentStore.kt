package io.grpcstream.samples.shop.payments

import io.grpcstream.samples.shop.Conflict
import io.grpcstream.samples.shop.Invalid
import io.grpcstream.samples.shop.Money
import io.grpcstream.samples.shop.NotFound
import io.grpcstream.samples.shop.payments.Payment.State
import io.grpcstream.samples.shop.requireId
import io.grpcstream.samples.shop.store.Database
import io.grpcstream.samples.shop.store.query
import io.grpcstream.samples.shop.store.update
import java.sql.Connection

/**
 * Who was charged for what, in a database. There is one row for an order's payment: who inserts it
 * charges in the same transaction, and whoever comes later finds it done.
 *
 * @param credit what each customer may be charged altogether; its currency is the shop's
 */
class PaymentStore(
    private val database: Database,
    private val credit: Money,
) {
    /** Creates what is not there yet. */
    suspend fun open() = database.create(TABLES)

    /** Whether the store is there. */
    suspend fun isThere(): Boolean = database.isThere("payments")

    /** Charges, or declines to. Fails with [Conflict] if that order has another payment. */
    suspend fun charge(
        orderId: String,
        customer: String,
        amount: Money,
    ): Payment {
        requireChargeable(orderId, customer, amount)
        return database.transaction {
            if (insert(orderId, customer, amount) && !spend(customer, amount)) {
                update(
                    "UPDATE payments SET state = ?, reason = ? WHERE order_id = ?",
                    State.DECLINED.name,
                    "$customer has a credit of $credit",
                    orderId,
                )
            }
            payment(orderId).also { found ->
                if (found.customer != customer || found.amount != amount) {
                    throw Conflict(
                        "order $orderId has a payment of ${found.amount} by ${found.customer}",
                    )
                }
            }
        }
    }

    /** Gives back what was charged; fails with [NotFound] if the order has no payment. */
    suspend fun refund(orderId: String): Payment =
        database.transaction {
            val refunded =
                update(
                    "UPDATE payments SET state = ? WHERE order_id = ? AND state = ?",
                    State.REFUNDED.name,
                    orderId,
                    State.CHARGED.name,
                ) == 1
            payment(orderId).also { if (refunded) unspend(it) }
        }

    /** The payment of an order; fails with [NotFound] if it has none. */
    suspend fun find(orderId: String): Payment = database.transaction { payment(orderId) }

    /** What was charged of [customer], or of all if that is null. */
    suspend fun balance(customer: String?): Balance =
        database.read {
            val sums =
                query(
                    "SELECT state, SUM(amount_minor) AS sum, COUNT(*) AS count FROM payments " +
                        "WHERE customer = ? OR ? = 1 GROUP BY state",
                    customer.orEmpty(),
                    if (customer == null) 1 else 0,
                ) {
                    State.valueOf(it.getString("state")) to
                        (it.getLong("sum") to it.getLong("count"))
                }.toMap()

            fun sum(state: State) = credit.copy(minor = sums[state]?.first ?: 0)
            Balance(sum(State.CHARGED), sum(State.REFUNDED), sums[State.CHARGED]?.second ?: 0)
        }

    private fun requireChargeable(
        orderId: String,
        customer: String,
        amount: Money,
    ) {
        requireId(orderId)
        if (customer.isEmpty()) throw Invalid("no customer")
        if (amount.minor < 0) throw Invalid("an amount of $amount")
        if (amount.currency != credit.currency) {
            throw Invalid(
                "an amount in ${amount.currency}, the shop's currency is ${credit.currency}",
            )
        }
    }

    /** Whether it was this call that did it; another one's under way is waited for. */
    private fun Connection.insert(
        orderId: String,
        customer: String,
        amount: Money,
    ): Boolean =
        update(
            "INSERT INTO payments (order_id, customer, amount_minor, currency, state, reason) " +
                "VALUES (?, ?, ?, ?, ?, '') ON CONFLICT (order_id) DO NOTHING",
            orderId,
            customer,
            amount.minor,
            amount.currency,
            State.CHARGED.name,
        ) == 1

    /** Whether the customer has so much left; then it is spent. */
    private fun Connection.spend(
        customer: String,
        amount: Money,
    ): Boolean {
        update(
            "INSERT INTO customers (customer, spent_minor) VALUES (?, 0) ON CONFLICT (customer) DO NOTHING",
            customer,
        )
        return update(
            "UPDATE customers SET spent_minor = spent_minor + ? WHERE customer = ? AND spent_minor <= ?",
            amount.minor,
            customer,
            credit.minor - amount.minor,
        ) == 1
    }

    private fun Connection.unspend(payment: Payment) =
        update(
            "UPDATE customers SET spent_minor = spent_minor - ? WHERE customer = ?",
            payment.amount.minor,
            payment.customer,
        )

    private fun Connection.payment(orderId: String): Payment =
        query("SELECT * FROM payments WHERE order_id = ?", orderId) {
            Payment(
                orderId,
                it.getString("customer"),
                Money(it.getLong("amount_minor"), it.getString("currency")),
                State.valueOf(it.getString("state")),
                it.getString("reason"),
            )
        }.singleOrNull() ?: throw NotFound("no payment of order $orderId")

    private companion object {
        val TABLES =
            listOf(
                """
                CREATE TABLE IF NOT EXISTS payments (
                  order_id TEXT PRIMARY KEY,
                  customer TEXT NOT NULL,
                  amount_minor BIGINT NOT NULL,
                  currency TEXT NOT NULL,
                  state TEXT NOT NULL,
                  reason TEXT NOT NULL
                )
                """,
                """
                CREATE TABLE IF NOT EXISTS customers (
                  customer TEXT PRIMARY KEY,
                  spent_minor BIGINT NOT NULL CHECK (spent_minor >= 0)
                )
                """,
            ).map { it.trimIndent() }
    }
}
