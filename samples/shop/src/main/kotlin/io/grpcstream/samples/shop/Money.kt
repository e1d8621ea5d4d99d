package io.grpcstream.samples.shop

/** An amount of money: so many of the smallest units of its [currency]. */
data class Money(
    /** In the smallest unit, such as cents. */
    val minor: Long,
    /** Its ISO 4217 code. */
    val currency: String,
) {
    /** So many times this; throws [ArithmeticException] if that is too much to be counted. */
    operator fun times(count: Int): Money = copy(minor = Math.multiplyExact(minor, count.toLong()))

    /** The sum of two amounts of one currency. */
    operator fun plus(other: Money): Money {
        require(currency == other.currency) { "$this and $other have no sum" }
        return copy(minor = Math.addExact(minor, other.minor))
    }

    override fun toString(): String = "%d.%02d %s".format(minor / 100, minor % 100, currency)
}
