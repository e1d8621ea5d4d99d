package io.grpcstream.samples.shop.orders

import io.grpc.CallCredentials
import io.grpc.Channel
import io.grpcstream.samples.shop.Money
import io.grpcstream.samples.shop.toLine
import io.grpcstream.samples.shop.toMessage
import io.grpcstream.shop.InventoryGrpcKt.InventoryCoroutineStub
import io.grpcstream.shop.PaymentState
import io.grpcstream.shop.PaymentsGrpcKt.PaymentsCoroutineStub
import io.grpcstream.shop.ReservationState
import io.grpcstream.shop.chargeRequest
import io.grpcstream.shop.commitRequest
import io.grpcstream.shop.refundRequest
import io.grpcstream.shop.releaseRequest
import io.grpcstream.shop.reserveRequest

/** The steps, as calls of the services that do them. */
class RemoteSteps(
    inventory: Channel,
    inventoryCredentials: CallCredentials,
    payments: Channel,
    paymentsCredentials: CallCredentials,
) : Steps {
    private val inventory =
        InventoryCoroutineStub(inventory).withCallCredentials(inventoryCredentials)
    private val payments =
        PaymentsCoroutineStub(payments).withCallCredentials(paymentsCredentials)

    override suspend fun reserve(order: Order): Reserved {
        val reservation =
            inventory.reserve(
                reserveRequest {
                    orderId = order.id
                    lines += order.lines.map { it.toMessage() }
                },
            )
        return when (reservation.state) {
            ReservationState.RESERVATION_STATE_HELD -> {
                Reserved.Held(reservation.linesList.map { it.toLine() })
            }

            ReservationState.RESERVATION_STATE_REJECTED -> {
                Reserved.Rejected(reservation.reason)
            }

            else -> {
                Reserved.Rejected("its goods were released")
            }
        }
    }

    override suspend fun charge(order: Order): Charged {
        val payment =
            payments.charge(
                chargeRequest {
                    orderId = order.id
                    customer = order.customer
                    amount = order.price().toMessage()
                },
            )
        return when (payment.state) {
            PaymentState.PAYMENT_STATE_CHARGED -> Charged.Paid
            PaymentState.PAYMENT_STATE_REFUNDED -> Charged.Declined("its payment was given back")
            else -> Charged.Declined(payment.reason)
        }
    }

    override suspend fun commit(order: Order): Boolean =
        inventory.commit(commitRequest { orderId = order.id }).state ==
            ReservationState.RESERVATION_STATE_COMMITTED

    override suspend fun release(order: Order) {
        inventory.release(releaseRequest { orderId = order.id })
    }

    override suspend fun refund(order: Order) {
        payments.refund(refundRequest { orderId = order.id })
    }

    private fun Order.price(): Money = checkNotNull(total) { "order $id has no prices" }
}
