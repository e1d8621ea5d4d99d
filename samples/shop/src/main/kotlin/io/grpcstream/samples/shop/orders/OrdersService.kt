package io.grpcstream.samples.shop.orders

import com.google.protobuf.Timestamp
import io.grpc.Context
import io.grpc.Status
import io.grpc.StatusException
import io.grpcstream.kotlin.withDeadline
import io.grpcstream.samples.shop.Conflict
import io.grpcstream.samples.shop.NotFound
import io.grpcstream.samples.shop.requireOrderable
import io.grpcstream.samples.shop.sameGoodsAs
import io.grpcstream.samples.shop.toMessage
import io.grpcstream.samples.shop.toWish
import io.grpcstream.samples.shop.tokens.Caller
import io.grpcstream.samples.shop.tokens.Role
import io.grpcstream.samples.shop.tracing.currentTrace
import io.grpcstream.shop.GetOrderRequest
import io.grpcstream.shop.ListOrdersRequest
import io.grpcstream.shop.ListOrdersResponse
import io.grpcstream.shop.OrderState
import io.grpcstream.shop.OrdersGrpcKt.OrdersCoroutineImplBase
import io.grpcstream.shop.PlaceOrderRequest
import io.grpcstream.shop.WatchOrderRequest
import io.grpcstream.shop.listOrdersResponse
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.map
import org.slf4j.LoggerFactory
import java.time.Clock
import java.util.concurrent.TimeUnit.NANOSECONDS
import kotlin.time.Duration
import kotlin.time.Duration.Companion.nanoseconds
import io.grpcstream.shop.Order as OrderMessage

/** Offers orders to customers. */
class OrdersService(
    private val orders: OrderBook,
    private val process: OrderProcess,
    private val feed: OrderFeed,
    private val followUp: FollowUp,
    private val clock: Clock = Clock.systemUTC(),
) : OrdersCoroutineImplBase() {
    override suspend fun placeOrder(request: PlaceOrderRequest): OrderMessage {
        val caller = Caller.current()
        caller.requireRole(Role.CUSTOMER)
        val wished = request.linesList.map { it.toWish() }
        requireOrderable(request.orderId, wished)
        val order =
            Order(request.orderId, caller.subject, wished, clock.instant(), trace = currentTrace())
        val placed = orders.place(order)
        if (placed.customer != caller.subject || !placed.lines.sameGoodsAs(wished)) {
            throw Conflict("there is another order ${order.id}")
        }
        return finish(placed).toMessage()
    }

    /** The order once it is final, or what it has come to when something keeps it from going on. */
    private suspend fun finish(order: Order): Order =
        try {
            withDeadline(timeToAnswer()) { process.finish(order.id) }
        } catch (e: StatusException) {
            if (e.status.code in SHORT_OF_SOMEONE) {
                log.debug("order {} waits: {}", order.id, e.status)
            } else {
                log.warn("order {} waits: {}", order.id, e.status)
            }
            followUp.now()
            orders.find(order.id) ?: order
        }

    override suspend fun getOrder(request: GetOrderRequest): OrderMessage =
        find(request.orderId, Caller.current()).toMessage()

    override fun watchOrder(request: WatchOrderRequest): Flow<OrderMessage> {
        val caller = Caller.current()
        return feed.watch(request.orderId) { find(request.orderId, caller) }.map { it.toMessage() }
    }

    override suspend fun listOrders(request: ListOrdersRequest): ListOrdersResponse {
        val caller = Caller.current()
        caller.requireRole(Role.CUSTOMER, Role.AUDITOR)
        val size = if (request.pageSize in 1..MAX_PAGE) request.pageSize else DEFAULT_PAGE
        val customer = caller.subject.takeUnless { caller.role == Role.AUDITOR }
        val page = orders.list(customer, request.pageToken, size)
        return listOrdersResponse {
            orders += page.map { it.toMessage() }
            if (page.size == size) nextPageToken = page.last().id
        }
    }

    private suspend fun find(
        id: String,
        caller: Caller,
    ): Order {
        caller.requireRole(Role.CUSTOMER, Role.AUDITOR)
        // Others' orders are as unknown as those that are not there.
        return orders.find(id)?.takeIf {
            caller.role == Role.AUDITOR ||
                it.customer == caller.subject
        }
            ?: throw NotFound("no order $id of ${caller.subject}")
    }

    private companion object {
        val log = LoggerFactory.getLogger(OrdersService::class.java)
        val SHORT_OF_SOMEONE = setOf(Status.Code.UNAVAILABLE, Status.Code.DEADLINE_EXCEEDED)
        const val DEFAULT_PAGE = 100
        const val MAX_PAGE = 1_000
        const val SHARE_OF_ANSWER = 10 // a tenth

        /** What is left to the caller's deadline, less what the answer's way back may need. */
        fun timeToAnswer(): Duration {
            val deadline = Context.current().deadline ?: return Duration.INFINITE
            val left = deadline.timeRemaining(NANOSECONDS).nanoseconds
            return left - left / SHARE_OF_ANSWER
        }
    }
}

private fun Order.toMessage(): OrderMessage =
    OrderMessage
        .newBuilder()
        .setOrderId(id)
        .setCustomer(customer)
        .addAllLines(lines.map { it.toMessage() })
        .apply { this@toMessage.total?.let { total = it.toMessage() } }
        .setState(
            when (state) {
                Order.State.PLACED -> OrderState.ORDER_STATE_PLACED
                Order.State.RESERVED -> OrderState.ORDER_STATE_RESERVED
                Order.State.CHARGED -> OrderState.ORDER_STATE_CHARGED
                Order.State.CONFIRMED -> OrderState.ORDER_STATE_CONFIRMED
                Order.State.RELEASING -> OrderState.ORDER_STATE_RELEASING
                Order.State.REFUNDING -> OrderState.ORDER_STATE_REFUNDING
                Order.State.CANCELLED -> OrderState.ORDER_STATE_CANCELLED
            },
        ).setReason(reason)
        .setPlacedAt(
            Timestamp.newBuilder().setSeconds(placedAt.epochSecond).setNanos(placedAt.nano),
        ).build()
