package io.grpcstream.kotlin

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.runBlocking
import java.io.IOException
import java.util.concurrent.CompletableFuture

class StagesSpec :
    StringSpec({
        "a resource is returned, not released" {
            val released = mutableListOf<String>()
            CompletableFuture.completedFuture("stream").awaitResource(released::add) shouldBe
                "stream"
            released.shouldBeEmpty()
        }

        "a failure is thrown without the wrapper of dependent stages" {
            val failing = CompletableFuture<String>()
            val dependent = failing.thenApply { it }
            failing.completeExceptionally(IOException("unreachable"))
            shouldThrow<IOException> { dependent.awaitResource { } }.message shouldBe "unreachable"
        }

        "cancelling the coroutine cancels the stage" {
            coroutineScope {
                val stage = CompletableFuture<String>()
                val waiting = async(start = CoroutineStart.UNDISPATCHED) { stage.awaitResource { } }
                waiting.cancelAndJoin()
                stage.isCancelled shouldBe true
            }
        }

        "a resource that comes as the coroutine is cancelled is released" {
            val released = mutableListOf<String>()
            runBlocking {
                val stage = CompletableFuture<String>()
                val late =
                    async(
                        start = CoroutineStart.UNDISPATCHED,
                    ) { stage.awaitResource(released::add) }
                stage.complete("stream")
                late.cancelAndJoin()
            }
            released shouldContainExactly listOf("stream")
        }
    })
