package io.grpcstream.kotlin

import io.grpc.Metadata
import io.grpc.Status
import io.grpc.Status.Code
import io.grpc.StatusException
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineStub
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Job
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import java.io.IOException
import kotlin.time.Duration.Companion.seconds

/** What a Job in the context of a whole GrpcStream has to do with its calls, and they with it. */
class UserJobSpec :
    StringSpec({
        timeout = 60_000
        bothKinds { reply(it.name) }.forEach { (kind, service) ->
            "a call $kind that an interceptor closed first leaves the Job and other calls alone" {
                val job = Job()
                calling({
                    context = job
                    service()
                    intercept(ServerTap(onMessage = { it.close(Status.ABORTED, Metadata()) }))
                }) { channel ->
                    allCalls(channel) { call ->
                        shouldThrow<StatusException> { call() }.status.code shouldBe Code.ABORTED
                    }
                    job.shouldBeUnharmed()
                }
            }
        }

        for (kind in bothKinds { reply(it.name) }.keys) {
            "what an interceptor throws at the end of a call $kind leaves other calls alone" {
                val job = Job()
                val hold = CompletableDeferred<Unit>()
                val held = CompletableDeferred<Unit>()
                val services =
                    bothKinds { request ->
                        if (request.name == "long") {
                            held.complete(Unit)
                            hold.await()
                        }
                        reply(request.name)
                    }
                calling({
                    context = job
                    services.getValue(kind)()
                    intercept(
                        ServerTap(
                            afterClose = { throw IOException("no metric") },
                        ),
                    )
                }) { channel ->
                    coroutineScope {
                        val stub = GreeterCoroutineStub(channel)
                        val long = async { stub.sayHello(request("long")) }
                        held.await()
                        allCalls(channel) { call -> call().message shouldBe "Ada" }
                        hold.complete(Unit)
                        long.await().message shouldBe "long"
                    }
                    job.shouldBeUnharmed()
                }
            }

            "a Job cancelled before the coroutine of a call $kind could start ends the call" {
                val job = Job()
                val dispatcher = HeldDispatcher()
                calling({
                    context = job + dispatcher
                    bothKinds { reply("never") }.getValue(kind)()
                }) { channel ->
                    coroutineScope {
                        dispatcher.hold()
                        val call =
                            async {
                                shouldThrow<StatusException> { channel.greet("Ada") }.status.code
                            }
                        eventually(10.seconds) { dispatcher.waitingCount shouldBe 1 }
                        job.cancel()
                        dispatcher.release()
                        call.await() shouldBe Code.CANCELLED
                    }
                    job.join()
                }
            }

            "once the Job is cancelled, calls $kind fail with CANCELLED" {
                calling({
                    context = Job().apply { cancel() }
                    bothKinds { reply("never") }.getValue(kind)()
                }) { channel ->
                    allCalls(channel) { call ->
                        shouldThrow<StatusException> { call() }.status.code shouldBe Code.CANCELLED
                    }
                }
            }
        }
    })

private suspend fun Job.shouldBeUnharmed() {
    eventually(10.seconds) { children.toList().shouldBeEmpty() }
    isActive shouldBe true
    cancel()
}
