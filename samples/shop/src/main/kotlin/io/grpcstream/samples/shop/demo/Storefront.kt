package io.grpcstream.samples.shop.demo

import io.grpc.Channel
import io.grpc.Status
import io.grpc.StatusException
import io.grpcstream.kotlin.withDeadline
import io.grpcstream.libp2p.crypto.PrivateKey
import io.grpcstream.samples.shop.Line
import io.grpcstream.samples.shop.toMessage
import io.grpcstream.samples.shop.tokens.Role
import io.grpcstream.samples.shop.tokens.Tokens
import io.grpcstream.shop.Order
import io.grpcstream.shop.OrderState
import io.grpcstream.shop.OrdersGrpcKt.OrdersCoroutineStub
import io.grpcstream.shop.placeOrderRequest
import io.grpcstream.shop.watchOrderRequest
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.lastOrNull
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** Whether nothing comes after this state. */
val OrderState.isFinal: Boolean
    get() = this == OrderState.ORDER_STATE_CONFIRMED || this == OrderState.ORDER_STATE_CANCELLED

/** Where customers order: calls the orders for each of them, with tokens that it signs by its [key]. */
class Storefront(
    orders: Channel,
    private val key: PrivateKey,
) {
    private val orders = OrdersCoroutineStub(orders)

    /** What [customer] calls with. */
    fun stubFor(customer: String): OrdersCoroutineStub =
        orders.withCallCredentials(Tokens(key, customer, Role.CUSTOMER, "orders"))

    /**
     * Places an order, and returns it once it is final. As long as the shop does not answer it asks
     * again, under the same id, so that it stays one order.
     */
    suspend fun order(
        customer: String,
        id: String,
        goods: List<Line>,
    ): Order {
        val request =
            placeOrderRequest {
                orderId = id
                lines += goods.map { it.toMessage() }
            }
        val stub = stubFor(customer)
        while (true) {
            try {
                val placed = withDeadline(PATIENCE) { stub.placeOrder(request) }
                if (placed.state.isFinal) return placed
                val last = withDeadline(PATIENCE) { stub.watchOrder(watch(id)).lastOrNull() }
                if (last?.state?.isFinal == true) return last
            } catch (e: StatusException) {
                if (e.status.code !in TRY_AGAIN) throw e
                delay(PAUSE)
            }
        }
    }

    private fun watch(id: String) = watchOrderRequest { orderId = id }

    private companion object {
        /** Such as while a process of the shop is started anew. */
        val TRY_AGAIN = setOf(Status.Code.UNAVAILABLE, Status.Code.DEADLINE_EXCEEDED)
        val PATIENCE = 10.seconds
        val PAUSE = 50.milliseconds
    }
}
