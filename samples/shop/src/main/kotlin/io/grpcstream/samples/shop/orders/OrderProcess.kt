package io.grpcstream.samples.shop.orders

import io.grpcstream.samples.shop.Line
import io.grpcstream.samples.shop.orders.Order.State
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.withContext

/**
 * Sees orders through, step by step: each step is done elsewhere, then the order's next state is
 * stored. Whenever this ends in between, for whatever reason, the step is done again later. As each
 * step can be, no order is lost, and none is done twice.
 *
 * Of one order one step is done at a time.
 *
 * @param onChange hears of each state that was stored
 */
class OrderProcess(
    private val orders: OrderBook,
    private val steps: Steps,
    private val onChange: (Order) -> Unit = {},
) {
    private val underWay = OrderLocks()

    /** Goes on with the order of that id until it is final. What a step or the store throws ends it. */
    suspend fun finish(id: String): Order = underWay.withLock(id) { goOn(id) }

    /** The same, unless somebody else is at it: then it does nothing. */
    suspend fun finishUnlessUnderWay(id: String) {
        underWay.withLockIfFree(id) { goOn(id) }
    }

    private suspend fun goOn(id: String): Order {
        var order = checkNotNull(orders.find(id)) { "no order $id" }
        while (!order.state.isFinal) {
            order = next(order)
        }
        return order
    }

    private suspend fun next(order: Order): Order =
        when (order.state) {
            State.PLACED -> {
                when (val reserved = steps.reserve(order)) {
                    is Reserved.Held -> advance(order, State.RESERVED, lines = reserved.lines)
                    is Reserved.Rejected -> advance(order, State.CANCELLED, reserved.reason)
                }
            }

            State.RESERVED -> {
                when (val charged = steps.charge(order)) {
                    is Charged.Paid -> advance(order, State.CHARGED)
                    is Charged.Declined -> advance(order, State.RELEASING, charged.reason)
                }
            }

            State.CHARGED -> {
                if (steps.commit(order)) {
                    advance(order, State.CONFIRMED)
                } else {
                    advance(order, State.REFUNDING, "the goods were given to others")
                }
            }

            State.RELEASING -> {
                steps.release(order)
                advance(order, State.CANCELLED)
            }

            State.REFUNDING -> {
                steps.refund(order)
                advance(order, State.CANCELLED)
            }

            State.CONFIRMED, State.CANCELLED -> {
                error("order ${order.id} is ${order.state}, after which nothing comes")
            }
        }

    /** What was stored is told, whoever has given up meanwhile. */
    private suspend fun advance(
        order: Order,
        next: State,
        reason: String = order.reason,
        lines: List<Line>? = null,
    ): Order =
        withContext(NonCancellable) { orders.advance(order, next, reason, lines).also(onChange) }
}
