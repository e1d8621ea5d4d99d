package io.grpcstream.samples.shop.orders

import io.grpcstream.samples.shop.Line
import io.grpcstream.samples.shop.Money
import io.grpcstream.samples.shop.total
import java.time.Instant

/** What a customer has ordered, and how far it has come. */
data class Order(
    /** Made by the customer. */
    val id: String,
    /** Whose it is. */
    val customer: String,
    /** What was ordered, with prices once it is reserved. */
    val lines: List<Line>,
    /** When it was placed. */
    val placedAt: Instant,
    /** How far it has come. */
    val state: State = State.PLACED,
    /** Why it is cancelled, or about to be; else empty. */
    val reason: String = "",
    /** The trace in which it was placed, as a `traceparent` of W3C, or null. */
    val trace: String? = null,
) {
    /** What all of it costs, or null as long as it has no prices. */
    val total: Money? get() = if (lines.all { it.price != null }) lines.total() else null

    /**
     * How far an order may come:
     *
     * ```
     * PLACED ──> RESERVED ──> CHARGED ──> CONFIRMED
     *    │           │           │
     *    │       RELEASING   REFUNDING
     *    v           v           v
     *    └──────> CANCELLED <────┘
     * ```
     */
    enum class State(
        /** Whether nothing comes after it. */
        val isFinal: Boolean = false,
    ) {
        /** Stored. */
        PLACED,

        /** Its goods are set aside. */
        RESERVED,

        /** Payment was declined: its goods are to be put back. */
        RELEASING,

        /** It is paid for. */
        CHARGED,

        /** Its goods were gone when they were to be sold: the money is to be given back. */
        REFUNDING,

        /** Its goods are sold. */
        CONFIRMED(isFinal = true),

        /** It came to nothing. */
        CANCELLED(isFinal = true),
    }
}
