package io.grpcstream.samples.shop.demo

import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import java.util.concurrent.ConcurrentLinkedQueue
import kotlin.time.Duration.Companion.minutes

/** The shop as it is run: in processes, which die. */
class ShopSpec :
    StringSpec({
        "each process is killed while orders come in: none is lost, and none is doubled" {
            val said = ConcurrentLinkedQueue<String>()
            val outcome =
                withContext(Dispatchers.Default) {
                    withTimeout(5.minutes) {
                        Shop(tempdir().toPath(), shown = said::add).use { shop ->
                            shop.start()
                            val outcome = Trial(shop, ORDERS, said::add).run()
                            for (process in shop.all.reversed()) {
                                withClue(process.name) { process.stop() shouldBe SIGTERM }
                            }
                            outcome
                        }
                    }
                }
            said.forEach(::println)
            outcome.trace.lines().forEach(::println)
            withClue(outcome.entries.joinToString("\n")) {
                outcome.entries.filterNot { it.holds }.shouldBeEmpty()
            }

            // One trace over all peers that the order has passed.
            val order = outcome.trace.roots.single()
            val placed = outcome.trace.below(order).single()
            val served = outcome.trace.below(placed).single()
            served.peer shouldBe "orders"
            outcome.trace.below(served).map { it.name } shouldContainExactly
                listOf(
                    "Inventory.Reserve",
                    "Payments.Charge",
                    "Inventory.Commit",
                ).map { "Sent.shop.$it" }
            outcome.trace
                .below(served)
                .flatMap { outcome.trace.below(it) }
                .map { it.peer.substringBefore('-') } shouldContainExactly
                listOf("inventory", "payments", "inventory")
        }
    })

/** With what a JVM ends that was told to by SIGTERM: 128 + 15. */
private const val SIGTERM = 143
private const val ORDERS = 25
