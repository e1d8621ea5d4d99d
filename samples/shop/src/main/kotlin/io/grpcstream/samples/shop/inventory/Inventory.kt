package io.grpcstream.samples.shop.inventory

import io.grpcstream.samples.shop.peer.ShopPeer
import io.grpcstream.samples.shop.peer.follow
import io.grpcstream.samples.shop.peer.shopMain
import io.grpcstream.samples.shop.store.Database
import io.grpcstream.shop.InventoryGrpc

/** A replica of the inventory; the README says what it may be told. */
fun main(args: Array<String>): Unit =
    shopMain(args) { settings ->
        val self = ShopPeer(settings, "inventory-1", "orders,storefront,gateway")
        val store = settings.text("store", "jdbc:sqlite:shop/inventory.db")
        val currency = settings.text("currency", "EUR")
        val articles = settings.text("stock", "tea=1000@350,cup=500@1200,pot=100@4500")
        settings.requireNoOthers()

        Database.open(store).use { database ->
            val stock = StockStore(database)
            stock.open(Article.parse(articles, currency))
            self.serve("inventory", { service(InventoryService(stock)) }) { peer, health ->
                println("${self.name} serves at ${peer.addresses().first()}")
                health.follow(InventoryGrpc.SERVICE_NAME, stock::isThere)
            }
        }
    }
