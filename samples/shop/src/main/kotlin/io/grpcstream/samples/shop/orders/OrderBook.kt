package io.grpcstream.samples.shop.orders

import io.grpcstream.samples.shop.Line

/** Where orders are kept. */
interface OrderBook {
    /** Stores a new order, or returns the one that is there under its id. */
    suspend fun place(order: Order): Order

    /** The order of that id, or null. */
    suspend fun find(id: String): Order?

    /**
     * Takes an order from the state that it is in to its [next] one, with prices if [lines] are given;
     * once it has returned, it will be found so, whatever happens. If somebody else was first, the
     * order is returned as it is now.
     */
    suspend fun advance(
        order: Order,
        next: Order.State,
        reason: String = order.reason,
        lines: List<Line>? = null,
    ): Order

    /** Ids of orders that are not final, so many at most, in order and [after] that one. */
    suspend fun unfinished(
        after: String,
        limit: Int,
    ): List<String>

    /** Orders of [customer], or of all if that is null, so many at most, by their ids and [after] that one. */
    suspend fun list(
        customer: String?,
        after: String,
        limit: Int,
    ): List<Order>
}
