package io.grpcstream.samples.shop.payments

import io.grpcstream.samples.shop.Money

/** The payment of an order. */
data class Payment(
    /** The order. */
    val orderId: String,
    /** Who pays. */
    val customer: String,
    /** How much. */
    val amount: Money,
    /** What became of it. */
    val state: State,
    /** Why it was declined; else empty. */
    val reason: String = "",
) {
    /** What may become of a payment. */
    enum class State {
        /** The customer has paid. */
        CHARGED,

        /** The customer has not. Final. */
        DECLINED,

        /** The customer has the money back. Final. */
        REFUNDED,
    }
}

/** What was charged, and given back, of one customer or of all. */
data class Balance(
    /** Without what was given back. */
    val charged: Money,
    /** What was given back. */
    val refunded: Money,
    /** How many payments are charged, and not given back. */
    val payments: Long,
)
