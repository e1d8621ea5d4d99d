package io.grpcstream.samples.shop

import io.grpcstream.shop.Line as LineMessage
import io.grpcstream.shop.Money as MoneyMessage

/** This amount as a message. */
fun Money.toMessage(): MoneyMessage =
    MoneyMessage
        .newBuilder()
        .setMinor(minor)
        .setCurrency(currency)
        .build()

/** The amount in this message. */
fun MoneyMessage.toMoney(): Money = Money(minor, currency)

/** This line as a message. */
fun Line.toMessage(): LineMessage =
    LineMessage
        .newBuilder()
        .setSku(sku)
        .setQuantity(quantity)
        .apply { this@toMessage.price?.let { price = it.toMessage() } }
        .build()

/** The line in this message, with its price. */
fun LineMessage.toLine(): Line = Line(sku, quantity, if (hasPrice()) price.toMoney() else null)

/** The line in this message, as its caller wants it: prices are not the caller's to say. */
fun LineMessage.toWish(): Line = Line(sku, quantity)
