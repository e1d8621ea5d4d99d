package io.grpcstream.samples.shop

/** So many of an article, with the price of one once that was decided. */
data class Line(
    /** The article. */
    val sku: String,
    /** How many. */
    val quantity: Int,
    /** What one costs, or null as long as nobody has said. */
    val price: Money? = null,
) {
    override fun toString(): String = "$quantity $sku"
}

/** Whether both are of the same articles, as many of each, at whatever price. */
fun List<Line>.sameGoodsAs(other: List<Line>): Boolean = goods() == other.goods()

/** What all lines cost, of which each has a price. */
fun List<Line>.total(): Money =
    map { checkNotNull(it.price) { "$it has no price" } * it.quantity }.reduce(Money::plus)

/** Fails with [Invalid] unless these can be ordered by this id. */
fun requireOrderable(
    orderId: String,
    lines: List<Line>,
) {
    requireId(orderId)
    if (lines.isEmpty() || lines.size > MAX_LINES) {
        throw Invalid("${lines.size} lines, 1 to $MAX_LINES can be ordered")
    }
    for (line in lines) {
        if (line.sku.isEmpty()) throw Invalid("a line names no article")
        if (line.quantity !in 1..MAX_QUANTITY) {
            throw Invalid("${line.quantity} of ${line.sku}, 1 to $MAX_QUANTITY can be ordered")
        }
    }
    val twice = lines.groupBy { it.sku }.filterValues { it.size > 1 }.keys
    if (twice.isNotEmpty()) throw Invalid("named more than once: ${twice.joinToString()}")
}

/** Fails with [Invalid] unless that is a customer's id of an order. */
fun requireId(orderId: String) {
    if (orderId.length !in 1..MAX_ID) {
        throw Invalid("an order's id has 1 to $MAX_ID characters, not ${orderId.length}")
    }
}

private fun List<Line>.goods() = associate { it.sku to it.quantity }

private const val MAX_LINES = 100
private const val MAX_QUANTITY = 1_000_000
private const val MAX_ID = 64
