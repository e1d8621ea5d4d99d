package io.grpcstream.samples.shop.orders

import io.grpcstream.samples.shop.Line

/**
 * What has to be done for an order elsewhere. Each step may be done again, with the same outcome. What
 * a step throws says nothing about whether it was done.
 */
interface Steps {
    /** Sets the goods aside. */
    suspend fun reserve(order: Order): Reserved

    /** Charges the customer. */
    suspend fun charge(order: Order): Charged

    /** Sells the goods that were set aside, or returns false: they are not any more. */
    suspend fun commit(order: Order): Boolean

    /** Puts the goods back. */
    suspend fun release(order: Order)

    /** Gives the money back. */
    suspend fun refund(order: Order)
}

/** What came of setting goods aside. */
sealed interface Reserved {
    /** They are, at the prices of these [lines]. */
    data class Held(
        /** Those of the order, each with a price. */
        val lines: List<Line>,
    ) : Reserved

    /** They are not. */
    data class Rejected(
        /** Why. */
        val reason: String,
    ) : Reserved
}

/** What came of charging a customer. */
sealed interface Charged {
    /** It is paid. */
    data object Paid : Charged

    /** It is not. */
    data class Declined(
        /** Why. */
        val reason: String,
    ) : Charged
}
