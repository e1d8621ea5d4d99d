package io.grpcstream.samples.shop.orders

import io.grpcstream.samples.shop.Line
import io.grpcstream.samples.shop.Money
import io.grpcstream.samples.shop.inventory.Article
import io.grpcstream.samples.shop.inventory.Reservation
import io.grpcstream.samples.shop.inventory.StockStore
import io.grpcstream.samples.shop.orders.Order.State
import io.grpcstream.samples.shop.payments.Payment
import io.grpcstream.samples.shop.payments.PaymentStore
import io.grpcstream.samples.shop.store.Database
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import java.time.Instant

private const val TEA = 10L
private const val PRICE = 350L
private const val CREDIT = 2000L

/**
 * An order is seen through by a process that dies at one point; then another one finds what it has
 * left. A point is before or after each thing that is done: each step, and each change of the store.
 */
class CrashPointsSpec :
    StringSpec({
        val folder = tempdir().toPath()
        var shops = 0

        suspend fun trial(
            scenario: Scenario,
            block: suspend TestShop.() -> Unit,
        ) = Database.open("jdbc:sqlite:${folder.resolve("${shops++}.db")}").use { database ->
            TestShop(database, scenario).apply { open() }.block()
        }

        for (scenario in Scenario.entries) {
            "an order that ${scenario.says} ends as it should, wherever its process dies" {
                var points = 0
                trial(scenario) {
                    val crash = CrashPoint(Int.MAX_VALUE)
                    process(crash).finish("o1")
                    points = crash.passed
                    holds()
                }
                points shouldBeGreaterThan 3
                for (point in 0 until points) {
                    withClue("died at point $point of $points") {
                        trial(scenario) {
                            shouldThrow<Died> { process(CrashPoint(point)).finish("o1") }
                            val next = process(CrashPoint(Int.MAX_VALUE))
                            FollowUp(orders, next).lookOnce().unfinished shouldBe 0
                            holds()
                        }
                    }
                }
            }
        }

        "an order ends as it should also if process after process dies, each a step later" {
            for (scenario in Scenario.entries) {
                trial(scenario) {
                    var point = 0
                    while (orders.unfinished("", 1).isNotEmpty()) {
                        FollowUp(orders, process(CrashPoint(point++))).lookOnce()
                    }
                    holds()
                }
            }
        }
    })

/** What may become of an order. */
private enum class Scenario(
    val says: String,
    val lines: List<Line>,
    val state: State,
) {
    CONFIRMED("has all it needs", listOf(Line("tea", 2)), State.CONFIRMED),
    OUT_OF_STOCK("wants more than there is", listOf(Line("tea", 11)), State.CANCELLED),
    DECLINED("its customer cannot pay", listOf(Line("tea", 6)), State.CANCELLED),
    GIVEN_AWAY("loses its goods to others", listOf(Line("tea", 2)), State.CANCELLED),
}

private class Died : Exception("the process died here")

/** Where a process dies: the [at]th point that it passes. */
private class CrashPoint(
    private val at: Int,
) {
    var passed = 0

    suspend fun <T> around(block: suspend () -> T): T {
        pass()
        return block().also { pass() }
    }

    private fun pass() {
        if (passed++ == at) throw Died()
    }
}

private class TestShop(
    database: Database,
    private val scenario: Scenario,
) {
    val orders = OrderStore(database)
    private val stock = StockStore(database)
    private val payments = PaymentStore(database, Money(CREDIT, "EUR"))

    suspend fun open() {
        orders.open()
        stock.open(listOf(Article("tea", Money(PRICE, "EUR"), TEA)))
        payments.open()
        orders.place(Order("o1", "ada", scenario.lines, Instant.now()))
    }

    fun process(crash: CrashPoint) =
        OrderProcess(MortalBook(orders, crash), MortalSteps(LocalSteps(), crash))

    /** All is as it must be after the order. */
    suspend fun holds() {
        val order = checkNotNull(orders.find("o1"))
        order.state shouldBe scenario.state
        order.reason.isEmpty() shouldBe (scenario.state == State.CONFIRMED)
        orders.unfinished("", 1).shouldBeEmpty()
        val sold = if (scenario.state == State.CONFIRMED) 2L else 0L
        stock.article("tea") shouldBe Article("tea", Money(PRICE, "EUR"), TEA - sold, sold = sold)
        val balance = payments.balance(null)
        balance.charged.minor shouldBe sold * PRICE
        balance.payments shouldBe if (sold > 0) 1 else 0
        balance.refunded.minor shouldBe if (scenario == Scenario.GIVEN_AWAY) 2 * PRICE else 0
    }

    /** The steps, done in this process. */
    private inner class LocalSteps : Steps {
        override suspend fun reserve(order: Order): Reserved {
            val reservation = stock.reserve(order.id, order.lines)
            return when (reservation.state) {
                Reservation.State.HELD -> Reserved.Held(reservation.lines)
                else -> Reserved.Rejected(reservation.reason)
            }
        }

        override suspend fun charge(order: Order): Charged {
            val payment = payments.charge(order.id, order.customer, checkNotNull(order.total))
            return if (payment.state ==
                Payment.State.CHARGED
            ) {
                Charged.Paid
            } else {
                Charged.Declined(payment.reason)
            }
        }

        override suspend fun commit(order: Order): Boolean {
            if (scenario == Scenario.GIVEN_AWAY) stock.release(order.id)
            return stock.commit(order.id).state == Reservation.State.COMMITTED
        }

        override suspend fun release(order: Order) {
            stock.release(order.id)
        }

        override suspend fun refund(order: Order) {
            payments.refund(order.id)
        }
    }
}

private class MortalSteps(
    private val steps: Steps,
    private val crash: CrashPoint,
) : Steps {
    override suspend fun reserve(order: Order) = crash.around { steps.reserve(order) }

    override suspend fun charge(order: Order) = crash.around { steps.charge(order) }

    override suspend fun commit(order: Order) = crash.around { steps.commit(order) }

    override suspend fun release(order: Order) = crash.around { steps.release(order) }

    override suspend fun refund(order: Order) = crash.around { steps.refund(order) }
}

private class MortalBook(
    private val book: OrderBook,
    private val crash: CrashPoint,
) : OrderBook by book {
    override suspend fun advance(
        order: Order,
        next: State,
        reason: String,
        lines: List<Line>?,
    ) = crash.around { book.advance(order, next, reason, lines) }
}
