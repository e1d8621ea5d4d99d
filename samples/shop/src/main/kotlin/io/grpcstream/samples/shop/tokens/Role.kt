package io.grpcstream.samples.shop.tokens

/** For what somebody calls. */
enum class Role(
    /** The name of the peer that may say so of somebody. */
    val issuer: String,
) {
    /** For themselves. */
    CUSTOMER("storefront"),

    /** To look at the books. */
    AUDITOR("storefront"),

    /** As a service of the shop, for an order. */
    SERVICE("orders"),
}
