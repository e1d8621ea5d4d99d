package io.grpcstream.samples.shop.inventory

import io.grpcstream.samples.shop.toMessage
import io.grpcstream.samples.shop.toWish
import io.grpcstream.samples.shop.tokens.Caller
import io.grpcstream.samples.shop.tokens.Role
import io.grpcstream.shop.CommitRequest
import io.grpcstream.shop.GetStockRequest
import io.grpcstream.shop.InventoryGrpcKt.InventoryCoroutineImplBase
import io.grpcstream.shop.ListStockRequest
import io.grpcstream.shop.ListStockResponse
import io.grpcstream.shop.ReleaseRequest
import io.grpcstream.shop.ReservationState
import io.grpcstream.shop.ReserveRequest
import io.grpcstream.shop.listStockResponse
import org.slf4j.LoggerFactory
import io.grpcstream.shop.Article as ArticleMessage
import io.grpcstream.shop.Reservation as ReservationMessage

/** Offers the [stock] to peers: anyone may look, but only the shop's services may touch. */
class InventoryService(
    private val stock: StockStore,
) : InventoryCoroutineImplBase() {
    override suspend fun getStock(request: GetStockRequest): ArticleMessage =
        stock.article(request.sku).toMessage()

    override suspend fun listStock(request: ListStockRequest): ListStockResponse {
        val all = stock.articles()
        return listStockResponse { articles += all.map { it.toMessage() } }
    }

    override suspend fun reserve(request: ReserveRequest): ReservationMessage {
        Caller.current().requireRole(Role.SERVICE)
        return answer(stock.reserve(request.orderId, request.linesList.map { it.toWish() }))
    }

    override suspend fun commit(request: CommitRequest): ReservationMessage {
        Caller.current().requireRole(Role.SERVICE)
        return answer(stock.commit(request.orderId))
    }

    override suspend fun release(request: ReleaseRequest): ReservationMessage {
        Caller.current().requireRole(Role.SERVICE)
        return answer(stock.release(request.orderId))
    }

    private fun answer(reservation: Reservation): ReservationMessage {
        log.debug("{}", reservation)
        return reservation.toMessage()
    }

    private companion object {
        val log = LoggerFactory.getLogger(InventoryService::class.java)
    }
}

private fun Article.toMessage(): ArticleMessage =
    ArticleMessage
        .newBuilder()
        .setSku(sku)
        .setPrice(price.toMessage())
        .setAvailable(available)
        .setReserved(reserved)
        .setSold(sold)
        .build()

private fun Reservation.toMessage(): ReservationMessage =
    ReservationMessage
        .newBuilder()
        .setOrderId(orderId)
        .setState(
            when (state) {
                Reservation.State.HELD -> ReservationState.RESERVATION_STATE_HELD
                Reservation.State.REJECTED -> ReservationState.RESERVATION_STATE_REJECTED
                Reservation.State.COMMITTED -> ReservationState.RESERVATION_STATE_COMMITTED
                Reservation.State.RELEASED -> ReservationState.RESERVATION_STATE_RELEASED
            },
        ).addAllLines(lines.map { it.toMessage() })
        .setReason(reason)
        .build()
