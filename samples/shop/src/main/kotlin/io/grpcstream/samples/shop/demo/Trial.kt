package io.grpcstream.samples.shop.demo

import io.grpc.ManagedChannel
import io.grpcstream.samples.shop.Settings
import io.grpcstream.samples.shop.peer.ShopPeer
import io.grpcstream.samples.shop.tracing.TraceTree
import io.grpcstream.shop.InventoryGrpc
import io.grpcstream.shop.OrderState
import io.grpcstream.shop.OrdersGrpc
import io.grpcstream.shop.PaymentsGrpc
import kotlin.time.Duration
import kotlin.time.DurationUnit
import kotlin.time.TimeSource

/**
 * Has customers order while each process of a [shop] is killed in turn, and compares the books then.
 *
 * @param orders how many are to be answered before the next process is killed, and while it is gone
 * @param say hears what happens, line by line
 */
class Trial(
    private val shop: Shop,
    private val orders: Int,
    private val say: (String) -> Unit,
) {
    /** What came of it. */
    class Outcome(
        /** What must be so. */
        val entries: List<Books.Entry>,
        /** The trace of an order that nothing has kept from going on. */
        val trace: TraceTree,
    )

    private class Channels(
        val orders: ManagedChannel,
        val inventory: ManagedChannel,
        val payments: ManagedChannel,
    )

    /** Runs it; the shop is started already. */
    suspend fun run(): Outcome {
        val name = "storefront"
        val self = ShopPeer(Settings.of(shop.settingsOf(name).toTypedArray()), name)
        return self.call { peer ->
            val inventory = shop.inventory.map { it.name }
            val channels =
                Channels(
                    self.channel(peer, listOf(shop.orders.name), OrdersGrpc.SERVICE_NAME),
                    self.channel(peer, inventory, InventoryGrpc.SERVICE_NAME),
                    self.channel(peer, listOf(shop.payments.name), PaymentsGrpc.SERVICE_NAME),
                )
            val storefront = Storefront(channels.orders, self.key)
            val customers = Customers(storefront, self.openTelemetry.getTracer(name))
            val traced = killEach(customers)
            val different = customers.orderAllAgain()
            say("all were placed again, as if no answer had come: ${different.size} differ")
            val books = Books.read(channels.orders, channels.inventory, channels.payments, self.key)
            Outcome(
                books.compare(Shop.OPENING, customers.placed) +
                    Books.Entry("orders that differ when placed again", NONE, different),
                TraceTree.read(shop.folder, traced),
            )
        }
    }

    /** Returns the trace of an order that was confirmed before anything was killed. */
    private suspend fun killEach(customers: Customers): String {
        lateinit var traced: String
        customers.during {
            customers.areAnswered(orders)
            say("$orders orders were answered")
            traced = customers.lastConfirmed().trace
            for (process in shop.all) killed(process, customers)
        }
        say(
            "${customers.placed.size} orders were placed, " +
                "${customers.told(OrderState.ORDER_STATE_CONFIRMED)} confirmed, " +
                "${customers.told(OrderState.ORDER_STATE_CANCELLED)} cancelled",
        )
        return traced
    }

    private suspend fun killed(
        process: ShopProcess,
        customers: Customers,
    ) {
        val underWay = customers.underWay().size
        process.kill()
        val killed = TimeSource.Monotonic.markNow()
        if (process in shop.inventory) {
            customers.areAnswered(orders)
        }
        process.start()
        val back = killed.elapsedNow()
        customers.areAnswered(orders)
        say(
            "%-11s killed with %d orders under way, serves again after %s, %d more answered after %s"
                .format(
                    process.name,
                    underWay,
                    back.text(),
                    orders,
                    killed.elapsedNow().text(),
                ),
        )
    }

    private fun Duration.text() = toString(DurationUnit.SECONDS, decimals = 1)

    private companion object {
        val NONE = emptyList<String>()
    }
}
