package io.grpcstream.samples.shop.inventory

import io.grpcstream.samples.shop.Line

/** What was set aside for an order, or was not. */
data class Reservation(
    /** The order. */
    val orderId: String,
    /** What became of it. */
    val state: State,
    /** With prices. */
    val lines: List<Line>,
    /** Why it was rejected; else empty. */
    val reason: String = "",
) {
    /** What may become of a reservation; all but [HELD] are final. */
    enum class State {
        /** The goods are set aside. */
        HELD,

        /** There was not enough. */
        REJECTED,

        /** The goods are sold. */
        COMMITTED,

        /** The goods were put back, or must not be set aside any more. */
        RELEASED,
    }
}
