package io.grpcstream.samples.shop.orders

import io.grpc.Channel
import io.grpc.Context
import io.grpc.Metadata
import io.grpc.ServerCall
import io.grpc.ServerCallHandler
import io.grpc.ServerInterceptor
import io.grpc.Status.Code
import io.grpc.StatusException
import io.grpcstream.kotlin.withDeadline
import io.grpcstream.samples.shop.Line
import io.grpcstream.samples.shop.Money
import io.grpcstream.samples.shop.inventory.Article
import io.grpcstream.samples.shop.inventory.InventoryService
import io.grpcstream.samples.shop.inventory.StockStore
import io.grpcstream.samples.shop.payments.Payment
import io.grpcstream.samples.shop.payments.PaymentStore
import io.grpcstream.samples.shop.payments.PaymentsService
import io.grpcstream.samples.shop.peer.ShopPeer
import io.grpcstream.samples.shop.peer.TestPeers
import io.grpcstream.samples.shop.peer.calling
import io.grpcstream.samples.shop.peer.serving
import io.grpcstream.samples.shop.store.Database
import io.grpcstream.samples.shop.toMessage
import io.grpcstream.samples.shop.tokens.Role
import io.grpcstream.samples.shop.tokens.Tokens
import io.grpcstream.samples.shop.tracing.RecordedSpan
import io.grpcstream.samples.shop.tracing.TraceTree
import io.grpcstream.samples.shop.tracing.around
import io.grpcstream.shop.ChargeRequest
import io.grpcstream.shop.InventoryGrpc
import io.grpcstream.shop.OrderState
import io.grpcstream.shop.OrdersGrpc
import io.grpcstream.shop.OrdersGrpcKt.OrdersCoroutineStub
import io.grpcstream.shop.PaymentsGrpc
import io.grpcstream.shop.PaymentsGrpcKt.PaymentsCoroutineImplBase
import io.grpcstream.shop.getOrderRequest
import io.grpcstream.shop.listOrdersRequest
import io.grpcstream.shop.placeOrderRequest
import io.grpcstream.shop.watchOrderRequest
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldBeSorted
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.longs.shouldBeInRange
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.last
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import java.nio.file.Path
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.TimeUnit.MILLISECONDS
import kotlin.time.Duration.Companion.seconds
import io.grpcstream.shop.Payment as PaymentMessage
import kotlinx.coroutines.channels.Channel as Queue

private val TEA = listOf(Line("tea", 2))

/** The three services as peers of this process, called by customers. */
class OrdersSpec :
    StringSpec({
        suspend fun shop(block: suspend OrdersShop.(CoroutineScope) -> Unit) {
            val folder = tempdir().toPath()
            Database.open("jdbc:sqlite:${folder.resolve("shop.db")}").use { database ->
                withTimeout(60.seconds) { OrdersShop(folder, database).run(block) }
            }
        }

        "an order is confirmed with its prices, and placing it again changes nothing" {
            shop {
                val first = place("o1", TEA)
                first.state shouldBe OrderState.ORDER_STATE_CONFIRMED
                first.total shouldBe Money(700, "EUR").toMessage()
                first.customer shouldBe "ada"
                coroutineScope { List(10) { async { place("o1", TEA) } }.awaitAll() }.forEach {
                    it shouldBe
                        first
                }
                stock.article("tea") shouldBe Article("tea", Money(350, "EUR"), 8, sold = 2)
                payments.balance("ada").charged shouldBe Money(700, "EUR")
            }
        }

        "an order whose payment is declined is cancelled, says why, and puts its goods back" {
            shop {
                val order = place("o1", listOf(Line("tea", 9)))
                order.state shouldBe OrderState.ORDER_STATE_CANCELLED
                order.reason shouldContain "credit"
                stock.article("tea") shouldBe Article("tea", Money(350, "EUR"), 10)
                payments.find("o1").state shouldBe Payment.State.DECLINED
                place("o1", listOf(Line("tea", 9))) shouldBe order
            }
        }

        "an order of more than there is is cancelled, and nobody is charged" {
            shop {
                val order = place("o1", listOf(Line("tea", 11)))
                order.state shouldBe OrderState.ORDER_STATE_CANCELLED
                order.reason shouldBe "11 tea wanted, 10 left"
                payments.balance(null).payments shouldBe 0
            }
        }

        "an id is that of one order, of one customer; customers see their own ones, auditors all" {
            shop {
                place("o1", TEA)
                codeOf { place("o1", listOf(Line("tea", 3))) } shouldBe Code.ALREADY_EXISTS
                codeOf { place("o1", TEA, customer = "grace") } shouldBe Code.ALREADY_EXISTS
                codeOf { place("o2", emptyList()) } shouldBe Code.INVALID_ARGUMENT
                place("o3", TEA, customer = "grace")
                codeOf { stub("grace").getOrder(getOrderRequest { orderId = "o1" }) } shouldBe
                    Code.NOT_FOUND
                codeOf {
                    stub(
                        "grace",
                    ).watchOrder(watchOrderRequest { orderId = "o1" }).toList()
                } shouldBe
                    Code.NOT_FOUND
                stub(
                    "ada",
                ).listOrders(
                    listOrdersRequest {},
                ).ordersList
                    .map { it.orderId } shouldContainExactly
                    listOf("o1")
                val auditor =
                    OrdersCoroutineStub(channel)
                        .withCallCredentials(Tokens(storefront.key, "eve", Role.AUDITOR, "orders"))
                val first = auditor.listOrders(listOrdersRequest { pageSize = 1 })
                val second =
                    auditor.listOrders(
                        listOrdersRequest { pageToken = first.nextPageToken },
                    )
                (first.ordersList + second.ordersList).map { it.orderId } shouldContainExactly
                    listOf("o1", "o3")
                codeOf { auditor.placeOrder(placeOrderRequest { orderId = "o4" }) } shouldBe
                    Code.PERMISSION_DENIED
            }
        }

        "all calls that are made for an order have what is left of its customer's deadline" {
            shop {
                withDeadline(8.seconds) { place("o1", TEA) }
                val left = deadlines.toList()
                left shouldHaveSize 4 // place, reserve, charge, commit
                left.reversed().shouldBeSorted()
                left.first() shouldBeInRange 1_000L..8_000L
                // Less the tenth that is kept for the answer.
                left[1] shouldBeInRange 500L..7_200L
            }
        }

        "an order whose payment takes too long is answered in time, as far as it is, and goes on" {
            shop { scope ->
                val go = CompletableDeferred<Unit>()
                place("o0", listOf(Line("tea", 1))) // All are connected then.
                beforePayment = { go.await() }
                val placed = withDeadline(3.seconds) { place("o1", TEA) }
                placed.state shouldBe OrderState.ORDER_STATE_RESERVED
                val states = Queue<OrderState>(Queue.UNLIMITED)
                val watching =
                    scope.launch {
                        stub(
                            "ada",
                        ).watchOrder(
                            watchOrderRequest { orderId = "o1" },
                        ).collect { states.send(it.state) }
                    }
                states.receive() shouldBe OrderState.ORDER_STATE_RESERVED
                go.complete(Unit)
                watching.join() // It ends by itself.
                states.close()
                var last = OrderState.ORDER_STATE_RESERVED
                for (state in states) last = state
                last shouldBe OrderState.ORDER_STATE_CONFIRMED
            }
        }

        "an order whose customer has gone goes on, in the trace in which it was placed" {
            shop {
                val go = CompletableDeferred<Unit>()
                val reached = CompletableDeferred<Unit>()
                val cancelled = CompletableDeferred<Unit>()
                beforePayment = {
                    reached.complete(Unit)
                    try {
                        go.await()
                    } catch (e: CancellationException) {
                        cancelled.complete(Unit)
                        throw e
                    }
                }
                val span =
                    storefront.openTelemetry
                        .getTracer(
                            "test",
                        ).spanBuilder("an order")
                        .startSpan()
                span.around {
                    coroutineScope {
                        val placing = launch { place("o1", TEA) }
                        reached.await()
                        placing.cancel()
                    }
                }
                cancelled.await() // by then the payments have heard of it, too
                go.complete(Unit)
                stub("ada").watchOrder(watchOrderRequest { orderId = "o1" }).last().state shouldBe
                    OrderState.ORDER_STATE_CONFIRMED
                payments.balance(null).payments shouldBe 1

                // Who serves a call may note its end after the caller has the answer.
                eventually(10.seconds) {
                    val tree = TraceTree.read(folder, span.spanContext.traceId)
                    tree.roots.map { it.name } shouldContainExactly listOf("an order")

                    fun all(of: RecordedSpan): List<RecordedSpan> =
                        listOf(of) + tree.below(of).flatMap { all(it) }
                    val served =
                        all(
                            tree.roots.single(),
                        ).filter { it.name.startsWith("Recv.shop.") }
                    val calls = served.groupBy { it.name.substringAfterLast('.') }
                    calls.keys shouldBe setOf("PlaceOrder", "Reserve", "Charge", "Commit")
                    calls.getValue("Charge") shouldHaveSize 2 // it was asked again
                }
            }
        }
    })

private suspend fun codeOf(block: suspend () -> Any?): Code =
    shouldThrow<StatusException> { block() }.status.code

private class OrdersShop(
    val folder: Path,
    database: Database,
) {
    val stock = StockStore(database)
    val payments = PaymentStore(database, Money(3_000, "EUR"))
    private val orders = OrderStore(database)
    private val peers = TestPeers(folder)
    lateinit var storefront: ShopPeer
    lateinit var channel: Channel

    /** What was left of each call's deadline, in milliseconds, as they came. */
    val deadlines = ConcurrentLinkedQueue<Long>()

    @Volatile
    var beforePayment: suspend () -> Unit = {}

    suspend fun run(block: suspend OrdersShop.(CoroutineScope) -> Unit) =
        withContext(Dispatchers.Default) {
            stock.open(listOf(Article("tea", Money(350, "EUR"), 10)))
            payments.open()
            orders.open()
            storefront = peers.peer("storefront").apply { introduceItself() }
            // The others look for its id when they are called.
            peers.peer("orders").introduceItself()
            peers.peer("inventory-1", "orders").serving("inventory", {
                service(InventoryService(stock))
                intercept(Deadlines())
            }) {
                peers.peer("payments", "orders").serving("payments", {
                    service(SlowPayments())
                    intercept(Deadlines())
                }) { serveOrders(block) }
            }
        }

    private suspend fun serveOrders(block: suspend OrdersShop.(CoroutineScope) -> Unit) {
        val steps = LateSteps()
        val feed = OrderFeed()
        val process = OrderProcess(orders, steps, feed::publish)
        val followUp = FollowUp(orders, process)
        val self = peers.peer("orders", "storefront")
        self.serving(
            "orders",
            {
                service(OrdersService(orders, process, feed, followUp))
                intercept(Deadlines())
            },
            { peer, _ ->
                steps.become(
                    RemoteSteps(
                        self.channel(peer, listOf("inventory-1"), InventoryGrpc.SERVICE_NAME),
                        Tokens(self.key, "orders", Role.SERVICE, "inventory"),
                        self.channel(peer, listOf("payments"), PaymentsGrpc.SERVICE_NAME),
                        Tokens(self.key, "orders", Role.SERVICE, "payments"),
                    ),
                )
                followUp.run()
            },
        ) {
            storefront.calling("orders", OrdersGrpc.SERVICE_NAME) {
                channel = it
                coroutineScope { block(this) }
            }
        }
    }

    fun stub(customer: String): OrdersCoroutineStub =
        OrdersCoroutineStub(channel)
            .withCallCredentials(Tokens(storefront.key, customer, Role.CUSTOMER, "orders"))

    suspend fun place(
        id: String,
        goods: List<Line>,
        customer: String = "ada",
    ) = stub(customer).placeOrder(
        placeOrderRequest {
            orderId = id
            lines += goods.map { it.toMessage() }
        },
    )

    private inner class SlowPayments : PaymentsCoroutineImplBase() {
        private val service = PaymentsService(payments)

        override suspend fun charge(request: ChargeRequest): PaymentMessage {
            beforePayment()
            return service.charge(request)
        }
    }

    private inner class Deadlines : ServerInterceptor {
        override fun <Q, R> interceptCall(
            call: ServerCall<Q, R>,
            headers: Metadata,
            next: ServerCallHandler<Q, R>,
        ): ServerCall.Listener<Q> {
            if (call.methodDescriptor.serviceName
                    .orEmpty()
                    .startsWith("shop.")
            ) {
                Context.current().deadline?.let { deadlines += it.timeRemaining(MILLISECONDS) }
            }
            return next.startCall(call, headers)
        }
    }
}
