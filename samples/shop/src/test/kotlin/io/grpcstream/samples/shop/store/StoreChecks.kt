package io.grpcstream.samples.shop.store

import io.grpcstream.samples.shop.Conflict
import io.grpcstream.samples.shop.Invalid
import io.grpcstream.samples.shop.Line
import io.grpcstream.samples.shop.Money
import io.grpcstream.samples.shop.NotFound
import io.grpcstream.samples.shop.inventory.Article
import io.grpcstream.samples.shop.inventory.Reservation
import io.grpcstream.samples.shop.inventory.StockStore
import io.grpcstream.samples.shop.orders.Order
import io.grpcstream.samples.shop.orders.OrderStore
import io.grpcstream.samples.shop.payments.Payment
import io.grpcstream.samples.shop.payments.PaymentStore
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.withContext
import java.time.Instant

/** What holds of the stores on any database: by name, to be checked on an empty one that [open] opens. */
val STORE_CHECKS: Map<String, suspend (open: () -> Database) -> Unit> =
    mapOf(
        "a reservation sets all lines aside at today's prices" to { open ->
            open().use { database ->
                val stock = stock(database)
                val reservation = stock.reserve("o1", listOf(Line("cup", 2), Line("tea", 3)))
                reservation.state shouldBe Reservation.State.HELD
                reservation.lines shouldContainExactly
                    listOf(Line("cup", 2, cents(1200)), Line("tea", 3, cents(350)))
                stock.article("tea") shouldBe Article("tea", cents(350), 7, reserved = 3)
                stock.articles().map { it.sku } shouldContainExactly listOf("cup", "tea")
            }
        },
        "a reservation that cannot have all has nothing, and says why" to { open ->
            open().use { database ->
                val stock = stock(database)
                val short = stock.reserve("o1", listOf(Line("cup", 1), Line("tea", 11)))
                short.state shouldBe Reservation.State.REJECTED
                short.reason shouldBe "11 tea wanted, 10 left"
                stock.reserve("o2", listOf(Line("cup", 1), Line("hat", 1))).reason shouldBe
                    "no article hat"
                stock.articles().map { it.available } shouldContainExactly listOf(4L, 10L)
            }
        },
        "each step of a reservation can be done again, and what was decided stays" to { open ->
            open().use { database ->
                val stock = stock(database)
                val tea = listOf(Line("tea", 6))
                repeat(2) { stock.reserve("sold", tea).state shouldBe Reservation.State.HELD }
                repeat(2) { stock.reserve("late", tea).state shouldBe Reservation.State.REJECTED }
                repeat(2) { stock.commit("sold").state shouldBe Reservation.State.COMMITTED }
                stock.release("sold").state shouldBe Reservation.State.COMMITTED
                stock.article("tea") shouldBe Article("tea", cents(350), 4, sold = 6)

                stock.reserve("given up", listOf(Line("tea", 4)))
                // There would be enough now, but the answer was no.
                repeat(2) { stock.release("given up").state shouldBe Reservation.State.RELEASED }
                stock.reserve("late", tea).state shouldBe Reservation.State.REJECTED
                stock.commit("given up").state shouldBe Reservation.State.RELEASED
                stock.release("late").state shouldBe Reservation.State.REJECTED
                stock.article("tea") shouldBe Article("tea", cents(350), 4, sold = 6)
            }
        },
        "a reservation that arrives after its release sets nothing aside" to { open ->
            open().use { database ->
                val stock = stock(database)
                stock.release("o1").state shouldBe Reservation.State.RELEASED
                stock.reserve("o1", listOf(Line("tea", 1))).state shouldBe
                    Reservation.State.RELEASED
                stock.article("tea").available shouldBe 10
            }
        },
        "an order's id stands for its goods: others are a conflict, none are invalid" to { open ->
            open().use { database ->
                val stock = stock(database)
                stock.reserve("o1", listOf(Line("tea", 1)))
                shouldThrow<Conflict> { stock.reserve("o1", listOf(Line("tea", 2))) }
                shouldThrow<NotFound> { stock.commit("unknown") }
                shouldThrow<NotFound> { stock.article("hat") }
                for (lines in listOf(
                    emptyList(),
                    listOf(Line("tea", 0)),
                    listOf(Line("tea", -1)),
                    listOf(Line("", 1)),
                    listOf(Line("tea", 1), Line("tea", 1)),
                )) {
                    shouldThrow<Invalid> { stock.reserve("o2", lines) }
                }
                shouldThrow<Invalid> { stock.reserve("", listOf(Line("tea", 1))) }
                stock.article("tea").available shouldBe 9
            }
        },
        "replicas that reserve at a time never oversell, nor reserve one order twice" to { open ->
            open().use { first ->
                stock(first, "tea=50@350,cup=50@1200")
                val replicas = listOf(first, open(), open())
                val all =
                    atOnce(90) { index ->
                        val stock = StockStore(replicas[index % replicas.size])
                        // Each order twice, at two replicas; lines in either order.
                        val lines = listOf(Line("tea", 1), Line("cup", 2))
                        stock.reserve(
                            "o${index / 2}",
                            if (index % 2 ==
                                0
                            ) {
                                lines
                            } else {
                                lines.reversed()
                            },
                        )
                    }
                replicas.drop(1).forEach { it.close() }
                val held =
                    all
                        .filter { it.state == Reservation.State.HELD }
                        .map { it.orderId }
                        .toSet()
                held.size shouldBe 25 // of 45 orders
                all.count { it.state == Reservation.State.HELD } shouldBe 50
                StockStore(first).article("cup") shouldBe
                    Article("cup", cents(1200), 0, reserved = 50)
                StockStore(first).article("tea") shouldBe
                    Article("tea", cents(350), 25, reserved = 25)
            }
        },
        "who opens the shop again finds the stock as it was left" to { open ->
            open().use { stock(it).reserve("o1", listOf(Line("tea", 1))) }
            open().use { database -> stock(database).article("tea").reserved shouldBe 1 }
        },
        "processes that create the tables at a time do not disturb each other" to { open ->
            val databases = List(3) { open() }
            atOnce(3) { stock(databases[it]) }
            databases.forEach { it.close() }
        },
        "an order is charged once, however often that is asked for" to { open ->
            open().use { database ->
                val payments = payments(database)
                atOnce(8) { payments.charge("o1", "ada", cents(600)) }
                    .forEach { it shouldBe Payment("o1", "ada", cents(600), Payment.State.CHARGED) }
                payments.balance("ada").charged shouldBe cents(600)
                payments.balance(null).payments shouldBe 1
            }
        },
        "what is beyond the credit is declined for good, and what is given back can be spent" to
            { open ->
                open().use { database ->
                    val payments = payments(database)
                    payments.charge("o1", "ada", cents(600))
                    val declined = payments.charge("o2", "ada", cents(500))
                    declined.state shouldBe Payment.State.DECLINED
                    declined.reason shouldContain "credit"
                    payments.charge("o3", "grace", cents(500)).state shouldBe Payment.State.CHARGED
                    repeat(2) { payments.refund("o1").state shouldBe Payment.State.REFUNDED }
                    payments.refund("o2").state shouldBe Payment.State.DECLINED
                    payments.charge("o2", "ada", cents(500)).state shouldBe Payment.State.DECLINED
                    payments.charge("o1", "ada", cents(600)).state shouldBe Payment.State.REFUNDED
                    payments.charge("o4", "ada", cents(1000)).state shouldBe Payment.State.CHARGED
                    payments.find("o4").amount shouldBe cents(1000)
                    with(payments.balance(null)) {
                        charged shouldBe cents(1500)
                        refunded shouldBe cents(600)
                        this.payments shouldBe 2
                    }
                }
            },
        "customers who order at a time never spend more than their credit" to { open ->
            open().use { database ->
                val payments = payments(database)
                val all = atOnce(20) { payments.charge("o$it", "ada", cents(300)) }
                all.count { it.state == Payment.State.CHARGED } shouldBe 3
                payments.balance("ada").charged shouldBe cents(900)
            }
        },
        "a payment's id stands for its customer and amount" to { open ->
            open().use { database ->
                val payments = payments(database)
                payments.charge("o1", "ada", cents(600))
                shouldThrow<Conflict> { payments.charge("o1", "grace", cents(600)) }
                shouldThrow<Conflict> { payments.charge("o1", "ada", cents(601)) }
                shouldThrow<Invalid> { payments.charge("o2", "", cents(600)) }
                shouldThrow<Invalid> { payments.charge("o2", "ada", cents(-1)) }
                shouldThrow<Invalid> { payments.charge("o2", "ada", Money(1, "USD")) }
                shouldThrow<NotFound> { payments.refund("o2") }
                shouldThrow<NotFound> { payments.find("o2") }
            }
        },
        "an order is stored once, and goes on from its state by whoever comes first" to { open ->
            open().use { database ->
                val orders = orders(database)
                val order = order("o1")
                atOnce(8) { orders.place(order) }.forEach { it shouldBe order }
                val priced = listOf(Line("tea", 2, cents(350)), Line("cup", 1, cents(1200)))
                val reserved = orders.advance(order, Order.State.RESERVED, lines = priced)
                reserved shouldBe order.copy(state = Order.State.RESERVED, lines = priced)
                reserved.total shouldBe cents(1900)
                orders.advance(order, Order.State.CANCELLED) shouldBe reserved // which it is by now
                orders.find("o1") shouldBe reserved
                orders.find("o2") shouldBe null
            }
        },
        "orders that are not final are found, page by page, and those of a customer are" to
            { open ->
                open().use { database ->
                    val orders = orders(database)
                    for (number in 1..5) {
                        orders.place(order("o$number", if (number % 2 == 0) "ada" else "grace"))
                    }
                    orders.advance(order("o3"), Order.State.CANCELLED, "no")
                    orders.unfinished("", 2) shouldContainExactly listOf("o1", "o2")
                    orders.unfinished("o2", 9) shouldContainExactly listOf("o4", "o5")
                    orders.unfinished("o5", 9).shouldBeEmpty()
                    orders.list("ada", "", 9).map { it.id } shouldContainExactly listOf("o2", "o4")
                    orders.list(null, "o1", 3).map { it.id } shouldContainExactly
                        listOf("o2", "o3", "o4")
                }
            },
        "a store is there as soon as it was opened" to { open ->
            open().use { database ->
                StockStore(database).isThere() shouldBe false
                stock(database).isThere() shouldBe true
            }
        },
    )

private suspend fun stock(
    database: Database,
    articles: String = "tea=10@350,cup=4@1200",
) = StockStore(database).apply { open(Article.parse(articles, "EUR")) }

private suspend fun orders(database: Database) = OrderStore(database).apply { open() }

private suspend fun payments(database: Database) =
    PaymentStore(database, cents(1000)).apply {
        open()
    }

private fun order(
    id: String,
    customer: String = "ada",
) = Order(
    id,
    customer,
    listOf(Line("tea", 2), Line("cup", 1)),
    Instant.ofEpochMilli(1_700_000_000_123),
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
)

private fun cents(minor: Long) = Money(minor, "EUR")

/** What [block] returns, called so often at a time, on as many threads as there are. */
private suspend fun <T> atOnce(
    times: Int,
    block: suspend (Int) -> T,
): List<T> =
    withContext(Dispatchers.Default) {
        coroutineScope { List(times) { async { block(it) } }.awaitAll() }
    }
