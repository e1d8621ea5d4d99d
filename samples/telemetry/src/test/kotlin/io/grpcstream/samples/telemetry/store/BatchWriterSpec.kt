package io.grpcstream.samples.telemetry.store

import io.grpc.Status
import io.grpcstream.libp2p.PeerId
import io.grpcstream.libp2p.crypto.PrivateKey
import io.grpcstream.samples.telemetry.Batch
import io.grpcstream.samples.telemetry.MemoryStore
import io.grpcstream.samples.telemetry.Reading
import io.grpcstream.samples.telemetry.failureOf
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.ints.shouldBeLessThanOrEqual
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import java.time.Instant
import java.util.concurrent.Semaphore
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.seconds

private const val IN_BATCH = 4
private const val MOST = 40

class BatchWriterSpec :
    StringSpec({
        "what comes while the store is busy goes into few transactions, and all of it is told" {
            val permits = Semaphore(0)
            val store = MemoryStore(permits)
            val added = AtomicInteger()
            val writer = BatchWriter(store, MOST) { _, result -> added.addAndGet(result.stored) }
            written(writer) {
                // Each has handed over what it brings when the next one starts.
                val batches =
                    List(101) {
                        launch(start = CoroutineStart.UNDISPATCHED) { writer.append(arrival(it)) }
                    }
                eventually(20.seconds) { permits.queueLength shouldBe 1 }
                permits.release(1_000)
                batches.joinAll()
                added.get() shouldBe 101 * IN_BATCH
                store.transactions.sum() shouldBe 101 * IN_BATCH
                store.transactions.forEach { it shouldBeLessThanOrEqual MOST }
                store.transactions.size shouldBeLessThanOrEqual 101 * IN_BATCH / MOST + 2
            }
        }

        "what the store does not take fails with its reason, and the next is tried again" {
            val store = MemoryStore().apply { broken = true }
            val writer = BatchWriter(store, MOST) { _, _ -> }
            written(writer) {
                val failure = failureOf { writer.append(arrival(1)) }
                failure.code shouldBe Status.Code.UNAVAILABLE
                failure.description shouldContain "no space left"
                store.broken = false
                writer.append(arrival(1))
                store.transactions shouldHaveSize 1
            }
        }
    })

private suspend fun written(
    writer: BatchWriter,
    block: suspend CoroutineScope.() -> Unit,
) = withContext(Dispatchers.Default) {
    val running = launch { writer.run() }
    coroutineScope { block() }
    running.cancelAndJoin()
}

private val PEER = PeerId.of(PrivateKey.generateEd25519().publicKey())

private fun arrival(number: Int) =
    Arrival(
        PEER,
        "ada",
        Instant.EPOCH,
        Batch(
            run = number.toLong(),
            first = 1,
            List(IN_BATCH) { Reading(Instant.EPOCH, "temperature", 20.0) },
            dropped = 0,
            waiting = 0,
        ),
    )
