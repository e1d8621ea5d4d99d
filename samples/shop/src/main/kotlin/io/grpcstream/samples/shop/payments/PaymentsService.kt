package io.grpcstream.samples.shop.payments

import io.grpcstream.samples.shop.toMessage
import io.grpcstream.samples.shop.toMoney
import io.grpcstream.samples.shop.tokens.Caller
import io.grpcstream.samples.shop.tokens.Role
import io.grpcstream.shop.ChargeRequest
import io.grpcstream.shop.GetBalanceRequest
import io.grpcstream.shop.GetPaymentRequest
import io.grpcstream.shop.PaymentState
import io.grpcstream.shop.PaymentsGrpcKt.PaymentsCoroutineImplBase
import io.grpcstream.shop.RefundRequest
import org.slf4j.LoggerFactory
import io.grpcstream.shop.Balance as BalanceMessage
import io.grpcstream.shop.Payment as PaymentMessage

/** Offers payments to peers: the shop's services may make them, auditors look at them. */
class PaymentsService(
    private val payments: PaymentStore,
) : PaymentsCoroutineImplBase() {
    override suspend fun charge(request: ChargeRequest): PaymentMessage {
        Caller.current().requireRole(Role.SERVICE)
        val amount = request.amount.toMoney()
        return answer(payments.charge(request.orderId, request.customer, amount))
    }

    override suspend fun refund(request: RefundRequest): PaymentMessage {
        Caller.current().requireRole(Role.SERVICE)
        return answer(payments.refund(request.orderId))
    }

    override suspend fun getPayment(request: GetPaymentRequest): PaymentMessage {
        Caller.current().requireRole(Role.SERVICE, Role.AUDITOR)
        return payments.find(request.orderId).toMessage()
    }

    override suspend fun getBalance(request: GetBalanceRequest): BalanceMessage {
        Caller.current().requireRole(Role.SERVICE, Role.AUDITOR)
        val balance = payments.balance(request.customer.ifEmpty { null })
        return BalanceMessage
            .newBuilder()
            .setCustomer(request.customer)
            .setCharged(balance.charged.toMessage())
            .setRefunded(balance.refunded.toMessage())
            .setPayments(balance.payments)
            .build()
    }

    private fun answer(payment: Payment): PaymentMessage {
        log.debug("{}", payment)
        return payment.toMessage()
    }

    private companion object {
        val log = LoggerFactory.getLogger(PaymentsService::class.java)
    }
}

private fun Payment.toMessage(): PaymentMessage =
    PaymentMessage
        .newBuilder()
        .setOrderId(orderId)
        .setCustomer(customer)
        .setAmount(amount.toMessage())
        .setState(
            when (state) {
                Payment.State.CHARGED -> PaymentState.PAYMENT_STATE_CHARGED
                Payment.State.DECLINED -> PaymentState.PAYMENT_STATE_DECLINED
                Payment.State.REFUNDED -> PaymentState.PAYMENT_STATE_REFUNDED
            },
        ).setReason(reason)
        .build()
