package io.grpcstream.kotlin

import io.grpc.CallOptions
import io.grpc.Context
import io.grpc.Deadline
import io.grpc.Status
import io.grpc.StatusException
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineStub
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.longs.shouldBeInRange
import io.kotest.matchers.longs.shouldBeLessThanOrEqual
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.TimeoutCancellationException
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.withTimeoutOrNull
import java.util.concurrent.TimeUnit
import java.util.concurrent.TimeUnit.MILLISECONDS
import java.util.concurrent.TimeUnit.MINUTES
import java.util.concurrent.TimeUnit.SECONDS
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes

/** Notes the deadline with which its last call came. */
private class NotingGreeter : ScriptedGreeter() {
    @Volatile
    var deadline: Deadline? = null

    private fun note() {
        deadline = Context.current().deadline
    }

    init {
        unary = { reply("").also { note() } }
        serverStreaming = { flow { note() } }
        clientStreaming = { reply("").also { note() } }
        bidiStreaming = { flow { note() } }
    }
}

private fun Deadline?.shouldBeAtMost(minutes: Long) {
    shouldNotBeNull().timeRemaining(SECONDS) shouldBeInRange 1..minutes * 60
}

/** What a call of any kind does within [timeout], around which there may be more. */
private suspend fun codeWithin(
    timeout: Duration,
    block: suspend () -> Any?,
): Status.Code = shouldThrow<StatusException> { withDeadline(timeout) { block() } }.status.code

class DeadlinesSpec :
    StringSpec({
        KINDS.forEach { (kind, call) ->
            "withDeadline around a $kind call is its deadline for the service" {
                val greeter = NotingGreeter()
                calling(greeter) { channel ->
                    withTimeout(5.minutes) { channel.call(flowOf()) }
                    greeter.deadline.shouldBeNull()
                    withDeadline(5.minutes) { channel.call(flowOf()) }
                    greeter.deadline.shouldBeAtMost(minutes = 5)
                }
            }

            "a $kind call that takes longer fails with DEADLINE_EXCEEDED, and is cancelled" {
                val greeter = SilentGreeter()
                calling(greeter) { channel ->
                    do {
                        codeWithin(300.milliseconds) { channel.call(flowOf()) } shouldBe
                            Status.Code.DEADLINE_EXCEEDED
                    } while (!greeter.called.isCompleted) // It passed on the way there.
                    greeter.cancelled.await()
                }
            }

            "a $kind call is cancelled by a timeout around it" {
                val greeter = SilentGreeter()
                calling(greeter) { channel ->
                    do {
                        withTimeoutOrNull(300.milliseconds) { channel.call(flowOf()) }
                            .shouldBeNull()
                        shouldThrow<TimeoutCancellationException> {
                            withTimeout(300.milliseconds) { channel.call(flowOf()) }
                        }
                    } while (!greeter.called.isCompleted) // It passed on the way there.
                    greeter.cancelled.await()
                }
            }
        }

        "all calls of a block share its time" {
            val greeter = NotingGreeter()
            calling(greeter) { channel ->
                withDeadline(5.minutes) {
                    channel.unary(UNARY, request("Ada"))
                    val first = greeter.deadline.shouldNotBeNull()
                    launch(Dispatchers.Default) { channel.unary(UNARY, request("Ada")) }.join()
                    val second = greeter.deadline.shouldNotBeNull()
                    // What is left of the same, but for what its way to the peer takes.
                    second.timeRemaining(MILLISECONDS) shouldBeLessThanOrEqual
                        first.timeRemaining(MILLISECONDS) + 1_000
                }
                channel.unary(UNARY, request("Ada"))
                greeter.deadline.shouldBeNull()
            }
        }

        "the shortest of several counts, whichever is around the other" {
            val greeter = NotingGreeter()
            calling(greeter) { channel ->
                withDeadline(5.minutes) {
                    withDeadline(1.hours) { channel.unary(UNARY, request("Ada")) }
                }
                greeter.deadline.shouldBeAtMost(minutes = 5)
                withDeadline(1.hours) {
                    withDeadline(5.minutes) { channel.unary(UNARY, request("Ada")) }
                }
                greeter.deadline.shouldBeAtMost(minutes = 5)
            }
        }

        "with an infinite one, what is around it counts" {
            val greeter = NotingGreeter()
            calling(greeter) { channel ->
                withDeadline(Duration.INFINITE) { channel.unary(UNARY, request("Ada")) }
                greeter.deadline.shouldBeNull()
                withDeadline(5.minutes) {
                    withDeadline(Duration.INFINITE) { channel.unary(UNARY, request("Ada")) }
                }
                greeter.deadline.shouldBeAtMost(minutes = 5)
            }
        }

        "an earlier deadline of the options stays" {
            val greeter = NotingGreeter()
            calling(greeter) { channel ->
                val options = CallOptions.DEFAULT.withDeadlineAfter(5, MINUTES)
                withDeadline(1.hours) { channel.unary(UNARY, request("Ada"), options) }
                greeter.deadline.shouldBeAtMost(minutes = 5)
            }
        }

        "a later deadline of the options gives way" {
            val greeter = NotingGreeter()
            calling(greeter) { channel ->
                val options = CallOptions.DEFAULT.withDeadlineAfter(60, MINUTES)
                withDeadline(5.minutes) { channel.unary(UNARY, request("Ada"), options) }
                greeter.deadline.shouldBeAtMost(minutes = 5)
            }
        }

        "the deadline that came with a call bounds the calls that its service makes" {
            val last = NotingGreeter()
            calling(last) { onward ->
                val relay = ScriptedGreeter().apply { unary = { onward.unary(UNARY, it) } }
                calling(relay) { channel ->
                    withDeadline(5.minutes) { channel.unary(UNARY, request("Ada")) }
                    last.deadline.shouldBeAtMost(minutes = 5)
                }
            }
        }

        "a call that is under way tells what it waited for" {
            calling(SilentGreeter()) { channel ->
                shouldThrow<StatusException> {
                    withDeadline(200.milliseconds) { channel.unary(UNARY, request("Ada")) }
                }.status.description shouldContain "eadline"
            }
        }

        "what a block does beside calls is cut, too, with DEADLINE_EXCEEDED" {
            val cut = CompletableDeferred<Throwable?>()
            codeWithin(100.milliseconds) {
                try {
                    awaitCancellation()
                } catch (e: CancellationException) {
                    cut.complete(e)
                    throw e
                }
            } shouldBe Status.Code.DEADLINE_EXCEEDED
            cut.await().shouldBeInstanceOf<TimeoutCancellationException>()
        }

        "an outer one that passes first is told by the inner one, and goes on outwards" {
            codeWithin(100.milliseconds) {
                withDeadline(1.hours) { awaitCancellation() }
            } shouldBe Status.Code.DEADLINE_EXCEEDED
        }

        "an inner one that passes leaves the outer block alone" {
            withDeadline(1.hours) {
                codeWithin(10.milliseconds) { awaitCancellation() } shouldBe
                    Status.Code.DEADLINE_EXCEEDED
                "still here"
            } shouldBe "still here"
        }

        "a timeout around it strikes as itself" {
            shouldThrow<TimeoutCancellationException> {
                withTimeout(100.milliseconds) { withDeadline(1.hours) { awaitCancellation() } }
            }
        }

        "where there is no time left, the block does not run" {
            listOf(Duration.ZERO, (-1).hours, -Duration.INFINITE).forEach { none ->
                codeWithin(none) { error("it ran") } shouldBe Status.Code.DEADLINE_EXCEEDED
            }
        }

        "a block's result is returned, also null, and its failure thrown" {
            withDeadline(1.hours) { null }.shouldBeNull()
            shouldThrow<IllegalStateException> { withDeadline(1.hours) { error("failed") } }
                .message shouldBe "failed"
        }

        "a DEADLINE_EXCEEDED of the service's own is thrown long before the deadline" {
            val greeter =
                ScriptedGreeter().apply { unary = { throw Status.DEADLINE_EXCEEDED.asException() } }
            calling(greeter) { channel ->
                codeWithin(1.hours) { channel.unary(UNARY, request("Ada")) } shouldBe
                    Status.Code.DEADLINE_EXCEEDED
            }
        }

        "a generated stub with the caller's context has the deadline" {
            val greeter = NotingGreeter()
            calling(greeter) { channel ->
                withDeadline(5.minutes) {
                    GreeterCoroutineStub(channel).withCallerContext().sayHello(request("Ada"))
                }
                greeter.deadline.shouldBeAtMost(minutes = 5)
            }
        }

        "a generated stub over a channel of ours has the deadline without a further word" {
            val greeter = NotingGreeter()
            calling(greeter) { channel ->
                val stub = GreeterCoroutineStub(channel)
                withDeadline(5.minutes) {
                    withContext(Dispatchers.Default) { stub.sayHello(request("Ada")) }
                }
                greeter.deadline.shouldBeAtMost(minutes = 5)
                withDeadline(5.minutes) {
                    stub.withDeadlineAfter(1, TimeUnit.MINUTES).sayHello(request("Ada"))
                }
                greeter.deadline.shouldBeAtMost(minutes = 1)
                stub.sayHello(request("Ada"))
                greeter.deadline.shouldBeNull()
            }
        }
    })
