package io.grpcstream.samples.shop.payments

import io.grpcstream.samples.shop.Money
import io.grpcstream.samples.shop.peer.ShopPeer
import io.grpcstream.samples.shop.peer.follow
import io.grpcstream.samples.shop.peer.shopMain
import io.grpcstream.samples.shop.store.Database
import io.grpcstream.shop.PaymentsGrpc

/** The peer that charges customers; the README says what it may be told. */
fun main(args: Array<String>): Unit =
    shopMain(args) { settings ->
        val self = ShopPeer(settings, "payments", "orders,storefront,gateway")
        val store = settings.text("store", "jdbc:sqlite:shop/payments.db")
        val credit =
            Money(settings.text("credit", "5000000").toLong(), settings.text("currency", "EUR"))
        settings.requireNoOthers()

        Database.open(store).use { database ->
            val payments = PaymentStore(database, credit)
            payments.open()
            self.serve("payments", { service(PaymentsService(payments)) }) { peer, health ->
                println("${self.name} serves at ${peer.addresses().first()}")
                health.follow(PaymentsGrpc.SERVICE_NAME, payments::isThere)
            }
        }
    }
