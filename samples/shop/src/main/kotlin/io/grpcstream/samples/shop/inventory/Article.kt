package io.grpcstream.samples.shop.inventory

import io.grpcstream.samples.shop.Money

/** What the shop sells, and how much is left of it. */
data class Article(
    /** Its name. */
    val sku: String,
    /** What one costs now. */
    val price: Money,
    /** Neither sold nor set aside. */
    val available: Long,
    /** Set aside. */
    val reserved: Long = 0,
    /** Sold since the shop was opened. */
    val sold: Long = 0,
) {
    /** Reads what the shop is opened with. */
    companion object {
        private val ONE = Regex("([^=,@]+)=(\\d+)@(\\d+)")

        /** The articles in [text], such as `tea=500@350,cup=80@1200`: so many, of so many cents each. */
        fun parse(
            text: String,
            currency: String,
        ): List<Article> =
            text.split(',').map { one ->
                val match =
                    requireNotNull(
                        ONE.matchEntire(one.trim()),
                    ) { "\"$one\" is not NAME=COUNT@CENTS" }
                val (sku, count, cents) = match.destructured
                Article(sku, Money(cents.toLong(), currency), count.toLong())
            }
    }
}
