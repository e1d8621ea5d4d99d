package io.grpcstream.samples.shop.orders

import io.grpcstream.samples.shop.peer.ShopPeer
import io.grpcstream.samples.shop.peer.follow
import io.grpcstream.samples.shop.peer.shopMain
import io.grpcstream.samples.shop.store.Database
import io.grpcstream.samples.shop.tokens.Role
import io.grpcstream.samples.shop.tokens.Tokens
import io.grpcstream.shop.InventoryGrpc
import io.grpcstream.shop.OrdersGrpc
import io.grpcstream.shop.PaymentsGrpc
import kotlinx.coroutines.launch

/** The peer that takes orders; the README says what it may be told. */
fun main(args: Array<String>): Unit =
    shopMain(args) { settings ->
        val self = ShopPeer(settings, "orders", "storefront,gateway")
        val store = settings.text("store", "jdbc:sqlite:shop/orders.db")
        val inventory = settings.list("inventory", "inventory-1,inventory-2,inventory-3")
        val payments = settings.list("payments", "payments")
        settings.requireNoOthers()

        Database.open(store).use { database ->
            val orders = OrderStore(database)
            orders.open()
            val steps = LateSteps()
            val feed = OrderFeed()
            val process = OrderProcess(orders, steps, feed::publish)
            val followUp = FollowUp(orders, process)
            val service = OrdersService(orders, process, feed, followUp)
            self.serve("orders", { service(service) }) { peer, health ->
                println("${self.name} serves at ${peer.addresses().first()}")
                launch { health.follow(OrdersGrpc.SERVICE_NAME, orders::isThere) }

                val toInventory = self.channel(peer, inventory, InventoryGrpc.SERVICE_NAME)
                val toPayments = self.channel(peer, payments, PaymentsGrpc.SERVICE_NAME)
                steps.become(
                    RemoteSteps(
                        toInventory,
                        Tokens(self.key, self.name, Role.SERVICE, "inventory"),
                        toPayments,
                        Tokens(self.key, self.name, Role.SERVICE, "payments"),
                    ),
                )
                followUp.run()
            }
        }
    }
