package io.grpcstream.samples.shop.peer

import io.grpc.CallCredentials
import io.grpc.Channel
import io.grpc.Metadata
import io.grpc.Status.Code
import io.grpc.StatusException
import io.grpc.health.v1.HealthCheckRequest
import io.grpc.health.v1.HealthCheckResponse.ServingStatus
import io.grpc.health.v1.HealthGrpc
import io.grpcstream.kotlin.unary
import io.grpcstream.libp2p.PeerId
import io.grpcstream.libp2p.crypto.PrivateKey
import io.grpcstream.samples.shop.Money
import io.grpcstream.samples.shop.inventory.Article
import io.grpcstream.samples.shop.inventory.InventoryService
import io.grpcstream.samples.shop.inventory.StockStore
import io.grpcstream.samples.shop.store.Database
import io.grpcstream.samples.shop.tokens.AUTHORIZATION
import io.grpcstream.samples.shop.tokens.Role
import io.grpcstream.samples.shop.tokens.Tokens
import io.grpcstream.shop.InventoryGrpc
import io.grpcstream.shop.InventoryGrpcKt.InventoryCoroutineStub
import io.grpcstream.shop.getStockRequest
import io.grpcstream.shop.releaseRequest
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.delay
import kotlinx.coroutines.withTimeout
import java.nio.file.Files
import java.nio.file.Path
import java.time.Clock
import java.time.Duration
import java.util.concurrent.Executor
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** Who is let in, for which calls, and what health says meanwhile: at a service of the shop. */
class AdmissionSpec :
    StringSpec({
        suspend fun inventory(
            folder: Path,
            admitted: String = "orders,storefront",
            block: suspend (TestPeers) -> Unit,
        ) {
            val peers = TestPeers(folder)
            // Only its id is needed: it signs tokens.
            peers.peer("storefront").introduceItself()
            peers.peer("orders").introduceItself()
            Database.open("jdbc:sqlite:${folder.resolve("inventory.db")}").use { database ->
                val stock = StockStore(database)
                stock.open(listOf(Article("tea", Money(350, "EUR"), 10)))
                peers.peer("inventory", admitted).serving(
                    "inventory",
                    { service(InventoryService(stock)) },
                    { _, health -> health.follow(InventoryGrpc.SERVICE_NAME, stock::isThere) },
                ) { block(peers) }
            }
        }

        suspend fun failureOf(block: suspend () -> Unit) =
            shouldThrow<StatusException> { block() }.status

        "a peer that is not admitted is refused, whatever its token says, until it is named" {
            inventory(tempdir().toPath()) { peers ->
                val storefront = peers.peer("storefront")
                val token = Tokens(storefront.key, "ada", Role.CUSTOMER, "inventory")
                peers.peer("stranger").callingAnyway("inventory") { channel ->
                    val refused = failureOf { channel.tea(token) }
                    refused.code shouldBe Code.PERMISSION_DENIED
                }
                storefront.calling("inventory", InventoryGrpc.SERVICE_NAME) {
                    it.tea(token) shouldBe
                        10
                }
            }
        }

        "a peer may also be admitted by its id alone" {
            val key = PrivateKey.generateEd25519()
            val folder = tempdir().toPath()
            inventory(folder, admitted = "${PeerId.of(key.publicKey())}") { peers ->
                PrivateKey.loadOrCreate(folder.resolve("guest.key")) { key }
                val token = Tokens(peers.peer("storefront").key, "ada", Role.CUSTOMER, "inventory")
                peers.peer("guest").calling("inventory", InventoryGrpc.SERVICE_NAME) {
                    it.tea(token) shouldBe
                        10
                }
            }
        }

        "a call needs a token that is good: signed by who may, for this service, and not over yet" {
            inventory(tempdir().toPath()) { peers ->
                val storefront = peers.peer("storefront")
                val orders = peers.peer("orders")
                val stranger = PrivateKey.generateEd25519()
                val late = Clock.offset(Clock.systemUTC(), Duration.ofMinutes(-1))
                storefront.calling("inventory", InventoryGrpc.SERVICE_NAME) { channel ->
                    for ((token, why) in mapOf(
                        null to "there is none",
                        Bearer("nonsense") to "it is no token",
                        Tokens(stranger, "ada", Role.CUSTOMER, "inventory") to
                            "may not say who is CUSTOMER",
                        Tokens(orders.key, "ada", Role.CUSTOMER, "inventory") to
                            "may not say who is CUSTOMER",
                        Tokens(storefront.key, "ada", Role.SERVICE, "inventory") to
                            "may not say who is SERVICE",
                        Tokens(
                            storefront.key,
                            "ada",
                            Role.CUSTOMER,
                            "orders",
                        ) to "it is for orders",
                        Tokens(storefront.key, "ada", Role.CUSTOMER, "inventory", late) to
                            "it has expired",
                    )) {
                        val refused = failureOf { channel.tea(token) }
                        refused.code shouldBe Code.UNAUTHENTICATED
                        refused.description shouldContain why
                    }
                }
            }
        }

        "a customer's token is good for looking, and not for touching" {
            inventory(tempdir().toPath()) { peers ->
                val storefront = peers.peer("storefront")
                val orders = peers.peer("orders")
                storefront.calling("inventory", InventoryGrpc.SERVICE_NAME) { channel ->
                    val customer = Tokens(storefront.key, "ada", Role.CUSTOMER, "inventory")
                    channel.tea(customer) shouldBe 10
                    failureOf { channel.release(customer) }.code shouldBe Code.PERMISSION_DENIED
                }
                orders.calling("inventory", InventoryGrpc.SERVICE_NAME) {
                    it.release(Tokens(orders.key, "orders", Role.SERVICE, "inventory"))
                }
            }
        }

        "a service whose store is gone says so, and is not called until it is back" {
            val folder = tempdir().toPath()
            inventory(folder) { peers ->
                val storefront = peers.peer("storefront")
                val token = Tokens(storefront.key, "ada", Role.CUSTOMER, "inventory")
                storefront.calling("inventory", InventoryGrpc.SERVICE_NAME) { balanced ->
                    balanced.tea(token) shouldBe 10
                    val store = folder.resolve("inventory.db")
                    val aside = folder.resolve("aside.db")
                    storefront.callingAnyway("inventory") { anyway ->
                        Files.move(store, aside)
                        until { anyway.health() == ServingStatus.NOT_SERVING }
                        failureOf { balanced.tea(token) }.code shouldBe Code.UNAVAILABLE
                        Files.move(aside, store)
                        until { anyway.health() == ServingStatus.SERVING }
                    }
                    balanced.tea(token, waitForReady = true) shouldBe 10
                }
            }
        }
    })

private class Bearer(
    private val text: String,
) : CallCredentials() {
    override fun applyRequestMetadata(
        request: RequestInfo,
        executor: Executor,
        applier: MetadataApplier,
    ) = applier.apply(
        Metadata().apply { put(AUTHORIZATION, "Bearer $text") },
    )
}

private fun stub(
    channel: Channel,
    token: CallCredentials?,
) = InventoryCoroutineStub(channel).let { if (token == null) it else it.withCallCredentials(token) }

private suspend fun Channel.tea(
    token: CallCredentials?,
    waitForReady: Boolean = false,
): Long =
    stub(this, token)
        .let { if (waitForReady) it.withWaitForReady() else it }
        .getStock(getStockRequest { sku = "tea" })
        .available

private suspend fun Channel.release(token: CallCredentials) {
    stub(this, token).release(releaseRequest { orderId = "o1" })
}

private suspend fun Channel.health(): ServingStatus =
    unary(
        HealthGrpc.getCheckMethod(),
        HealthCheckRequest.newBuilder().setService(InventoryGrpc.SERVICE_NAME).build(),
    ).status

private suspend fun until(condition: suspend () -> Boolean) =
    withTimeout(30.seconds) {
        while (!condition()) delay(5.milliseconds)
    }
