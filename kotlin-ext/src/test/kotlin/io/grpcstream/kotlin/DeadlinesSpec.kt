package io.grpcstream.kotlin

import io.grpc.CallOptions
import io.grpc.Context
import io.grpc.Deadline
import io.grpc.Metadata
import io.grpc.Status
import io.grpc.StatusException
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineStub
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.longs.shouldBeInRange
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.TimeoutCancellationException
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.withTimeoutOrNull
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

/** Each test runs in a timeout of Kotest's, which sets a deadline too. */
private suspend fun withoutTimeout(block: suspend () -> Unit) =
    withContext(NonCancellable) { block() }

class DeadlinesSpec :
    StringSpec({
        "the timeouts of coroutines can be read" {
            withTimeout(1234.milliseconds) {
                Timeouts.millis(currentCoroutineContext()[Job]!!) shouldBe 1234
            }
            Timeouts.millis(Job()).shouldBeNull()
        }

        "without a timeout, and with one that has no end, there is no deadline" {
            withoutTimeout {
                currentCoroutineContext().timeout().shouldBeNull()
                withTimeout(Duration.INFINITE) {
                    currentCoroutineContext().timeout().shouldBeNull()
                }
            }
        }

        KINDS.forEach { (kind, call) ->
            "a timeout around a $kind call is its deadline for the service" {
                val greeter = NotingGreeter()
                calling(greeter) { channel ->
                    withoutTimeout { channel.call(flowOf()) }
                    greeter.deadline.shouldBeNull()
                    withTimeout(5.minutes) { channel.call(flowOf()) }
                    greeter.deadline.shouldBeAtMost(minutes = 5)
                }
            }

            "a $kind call that takes longer than its timeout ends with it, and is cancelled" {
                val greeter = SilentGreeter()
                calling(greeter) { channel ->
                    withTimeoutOrNull(300.milliseconds) { channel.call(flowOf()) }.shouldBeNull()
                    shouldThrow<TimeoutCancellationException> {
                        withTimeout(300.milliseconds) { channel.call(flowOf()) }
                    }
                    greeter.cancelled.await()
                }
            }
        }

        "the shortest of several timeouts counts, whichever is around the other" {
            val greeter = NotingGreeter()
            calling(greeter) { channel ->
                withTimeout(5.minutes) {
                    withTimeout(1.hours) { channel.unary(UNARY, request("Ada")) }
                }
                greeter.deadline.shouldBeAtMost(minutes = 5)
                withTimeout(1.hours) {
                    withTimeout(5.minutes) { channel.unary(UNARY, request("Ada")) }
                }
                greeter.deadline.shouldBeAtMost(minutes = 5)
            }
        }

        "an earlier deadline of the options stays" {
            val greeter = NotingGreeter()
            calling(greeter) { channel ->
                val options = CallOptions.DEFAULT.withDeadlineAfter(5, MINUTES)
                withTimeout(1.hours) { channel.unary(UNARY, request("Ada"), options) }
                greeter.deadline.shouldBeAtMost(minutes = 5)
            }
        }

        "the deadline that came with a call bounds the calls that its service makes" {
            val last = NotingGreeter()
            calling(last) { onward ->
                val relay = ScriptedGreeter().apply { unary = { onward.unary(UNARY, it) } }
                calling(relay) { channel ->
                    withTimeout(5.minutes) { channel.unary(UNARY, request("Ada")) }
                    last.deadline.shouldBeAtMost(minutes = 5)
                }
            }
        }

        "a deadline of the options that passes is a DEADLINE_EXCEEDED, also within a timeout" {
            calling(SilentGreeter()) { channel ->
                val options = CallOptions.DEFAULT.withDeadlineAfter(200, MILLISECONDS)
                shouldThrow<StatusException> {
                    withTimeout(1.hours) { channel.unary(UNARY, request("Ada"), options) }
                }.status.code shouldBe Status.Code.DEADLINE_EXCEEDED
            }
        }

        "a timeout beyond which the coroutine cannot be cancelled sets no deadline" {
            withTimeout(5.minutes) {
                withoutTimeout { currentCoroutineContext().timeout().shouldBeNull() }
            }
        }

        "a DEADLINE_EXCEEDED that is but the timeout's shadow waits for the timeout" {
            withTimeoutOrNull(100.milliseconds) {
                val caller = CallerOptions(CallOptions.DEFAULT, Deadline.after(0, MILLISECONDS))
                caller.fail(Status.DEADLINE_EXCEEDED, Metadata())
            }.shouldBeNull()
        }

        "a DEADLINE_EXCEEDED of the service's own is thrown long before the timeout" {
            val greeter =
                ScriptedGreeter().apply { unary = { throw Status.DEADLINE_EXCEEDED.asException() } }
            calling(greeter) { channel ->
                shouldThrow<StatusException> {
                    withTimeout(1.hours) { channel.unary(UNARY, request("Ada")) }
                }.status.code shouldBe Status.Code.DEADLINE_EXCEEDED
            }
        }

        "a generated stub with the caller's context has the timeout as its deadline" {
            val greeter = NotingGreeter()
            calling(greeter) { channel ->
                withTimeout(5.minutes) {
                    GreeterCoroutineStub(channel).withCallerContext().sayHello(request("Ada"))
                }
                greeter.deadline.shouldBeAtMost(minutes = 5)
            }
        }
    })
