package io.grpcstream.samples.shop.demo

import io.grpcstream.samples.shop.Line
import io.grpcstream.samples.shop.tracing.around
import io.grpcstream.shop.Order
import io.grpcstream.shop.OrderState
import io.opentelemetry.api.trace.Tracer
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import java.util.concurrent.ConcurrentHashMap
import kotlin.time.Duration.Companion.milliseconds

/** Customers who order one thing after the other, all at a time, and remember what they were told. */
class Customers(
    private val storefront: Storefront,
    private val tracer: Tracer,
) {
    /** An order as its customer remembers it. */
    class Placed(
        /** Whose it is. */
        val customer: String,
        /** What was ordered. */
        val lines: List<Line>,
        /** The trace of it. */
        val trace: String,
    ) {
        /** What the customer was told, once it was. */
        @Volatile
        var answer: Order? = null
    }

    /** All orders that were ever placed, by their ids. */
    val placed: MutableMap<String, Placed> = ConcurrentHashMap()
    private val answered = MutableStateFlow(0)

    @Volatile
    private var open = true

    /** Has customers order while [block] runs; returns once each has been answered. */
    suspend fun during(block: suspend CoroutineScope.() -> Unit) =
        coroutineScope {
            open = true
            for (name in NAMES) launch { orderOn(name) }
            try {
                block()
            } finally {
                open = false
            }
        }

    /** Waits until so many more orders were answered. */
    suspend fun areAnswered(orders: Int) {
        val enough = answered.value + orders
        answered.first { it >= enough }
    }

    /** Ids of orders that are under way. */
    fun underWay(): Set<String> = placed.filterValues { it.answer == null }.keys.toSet()

    /** Places all orders again, as if no answer had ever come; returns those that are answered otherwise. */
    suspend fun orderAllAgain(): List<String> {
        val different = ConcurrentHashMap.newKeySet<String>()
        coroutineScope {
            for ((_, orders) in placed.entries.groupBy { it.value.customer }) {
                launch {
                    for ((id, order) in orders) {
                        val again = storefront.order(order.customer, id, order.lines)
                        if (again != order.answer) different += id
                    }
                }
            }
        }
        return different.sorted()
    }

    /** The last one of those that were confirmed so far. */
    fun lastConfirmed(): Placed =
        placed
            .filterValues { it.answer?.state == OrderState.ORDER_STATE_CONFIRMED }
            .maxBy { it.key.substringAfter('-') }
            .value

    /** How many were told that. */
    fun told(state: OrderState): Int = placed.values.count { it.answer?.state == state }

    private suspend fun orderOn(customer: String) {
        var number = 0
        while (open) {
            number++
            val id = "%s-%05d".format(customer, number)
            val wish = if (customer == NAMES.last()) EXPENSIVE else WISHES[number % WISHES.size]
            tracer.spanBuilder("$customer orders $wish").startSpan().around { span ->
                val order = Placed(customer, wish, span.spanContext.traceId)
                placed[id] = order
                order.answer = storefront.order(customer, id, wish)
            }
            answered.value++
            delay(THINKING)
        }
    }

    private companion object {
        /** The last one has expensive tastes. */
        val NAMES = listOf("ada", "grace", "edsger", "barbara", "alan", "hedy", "leslie", "john")
        val WISHES =
            listOf(
                listOf(Line("tea", 2)),
                listOf(Line("tea", 1), Line("cup", 1)),
                listOf(Line("cup", 4)),
                listOf(Line("tea", 3), Line("cup", 2), Line("pot", 1)),
                listOf(Line("tea", 5)),
            )
        val EXPENSIVE = listOf(Line("cup", 20))
        val THINKING = 50.milliseconds
    }
}
