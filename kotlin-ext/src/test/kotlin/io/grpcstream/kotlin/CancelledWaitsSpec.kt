package io.grpcstream.kotlin

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.collect
import kotlinx.coroutines.launch
import java.lang.ref.WeakReference
import java.util.concurrent.CompletableFuture
import kotlin.time.Duration.Companion.seconds

/** What waits for something of a long life leave there when they are cancelled. */
class CancelledWaitsSpec :
    StringSpec({
        "10,000 cancelled waits for a stage keep none of what their coroutines refer to" {
            val stage = CompletableFuture<Void>()
            cancelledWaits(10_000) { stage.awaitCompletion() }.shouldBeCollected()
            stage.complete(null)
        }

        "10,000 cancelled waits for a connection's end keep none of it either" {
            twoHosts { dialer, listener ->
                val connection = dialer.connectAndAwait(listener.listenAddresses().first())
                cancelledWaits(10_000) { connection.awaitClosed() }.shouldBeCollected()
                connection.close()
                connection.awaitClosed()
            }
        }

        "10,000 cancelled collectors of connection events keep none of it either" {
            twoHosts { dialer, listener ->
                dialer.connectAndAwait(listener.listenAddresses().first())
                cancelledWaits(10_000) { dialer.connectionEvents().collect() }.shouldBeCollected()
            }
        }

        "a wait is resumed while cancelled ones are not" {
            val stage = CompletableFuture<Void>()
            coroutineScope {
                val waiting =
                    launch(start = CoroutineStart.UNDISPATCHED) { stage.awaitCompletion() }
                cancelledWaits(10) { stage.awaitCompletion() }
                stage.complete(null)
                waiting.join()
                waiting.isCancelled shouldBe false
            }
        }
    })

/** Begins and cancels [count] coroutines that [wait], and returns what they referred to. */
private suspend fun cancelledWaits(
    count: Int,
    wait: suspend () -> Unit,
): List<WeakReference<ByteArray>> =
    coroutineScope {
        List(count) {
            val payload = ByteArray(1024)
            launch(start = CoroutineStart.UNDISPATCHED) {
                try {
                    wait()
                } finally {
                    payload.fill(1)
                }
            }.cancelAndJoin()
            WeakReference(payload)
        }
    }

private suspend fun List<WeakReference<ByteArray>>.shouldBeCollected() =
    eventually(30.seconds) {
        System.gc()
        count { it.get() != null } shouldBe 0
    }
