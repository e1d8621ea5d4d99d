package io.grpcstream.kotlin

import com.google.rpc.ErrorInfo
import io.grpc.Metadata
import io.grpc.Status
import io.grpc.Status.Code
import io.grpc.StatusException
import io.grpcstream.ExceptionTypes
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineStub
import io.grpcstream.greeter.HelloReply
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeSameInstanceAs
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.withTimeout
import java.io.ByteArrayOutputStream
import java.io.IOException
import java.io.PrintStream
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.TimeoutException
import kotlin.time.Duration.Companion.milliseconds

private val TYPES =
    mapOf(
        IllegalArgumentException("secret") to Code.UNKNOWN,
        NoSuchElementException("secret") to Code.UNKNOWN,
        IllegalStateException("secret") to Code.UNKNOWN,
        UnsupportedOperationException("secret") to Code.UNKNOWN,
        TimeoutException("secret") to Code.DEADLINE_EXCEEDED,
        NotImplementedError("secret") to Code.UNIMPLEMENTED,
        SecurityException("secret") to Code.PERMISSION_DENIED,
        CancellationException("secret") to Code.CANCELLED,
        IOException("secret") to Code.UNKNOWN,
        RuntimeException(Status.DATA_LOSS.withDescription("secret").asException()) to Code.UNKNOWN,
    )

private val OPTED_IN =
    mapOf(
        NumberFormatException("secret") to Code.INVALID_ARGUMENT,
        NoSuchElementException("secret") to Code.NOT_FOUND,
        IllegalStateException("secret") to Code.FAILED_PRECONDITION,
        UnsupportedOperationException("secret") to Code.UNIMPLEMENTED,
        CancellationException("secret") to Code.CANCELLED,
        IOException("secret") to Code.UNKNOWN,
    )

private val REASON = Metadata.Key.of("x-reason", Metadata.ASCII_STRING_MARSHALLER)

/** What is logged while [block] runs; the tests' backend writes to System.err. */
private suspend fun logged(block: suspend () -> Unit): List<String> {
    val before = System.err
    val captured = ByteArrayOutputStream()
    System.setErr(PrintStream(captured, true, Charsets.UTF_8))
    try {
        block()
    } finally {
        System.setErr(before)
    }
    return captured.toString(Charsets.UTF_8).lines()
}

private suspend fun failureOf(call: suspend () -> HelloReply): StatusException =
    shouldThrow<StatusException> { call() }

class FailureMappingSpec :
    StringSpec({
        "the type of a failure decides about the status, and nothing of its text is told" {
            TYPES.forEach { (failure, code) ->
                bothKinds { throw failure }.values.forEach { service ->
                    calling(service) { channel ->
                        allCalls(channel) { call ->
                            val status = failureOf(call).status
                            status.code shouldBe code
                            status.description shouldBe null
                        }
                    }
                }
            }
        }

        "one line gives the everyday exceptions codes of their own" {
            OPTED_IN.forEach { (failure, code) ->
                bothKinds { throw failure }.values.forEach { service ->
                    calling({
                        service()
                        mapFailure(ExceptionTypes::statusOf)
                    }) { channel ->
                        allCalls(channel) { call -> failureOf(call).status.code shouldBe code }
                    }
                }
            }
        }

        "a timeout within a service is DEADLINE_EXCEEDED" {
            bothKinds { withTimeout(1.milliseconds) { awaitCancellation() } }.values.forEach {
                calling(it) { channel ->
                    allCalls(channel) { call ->
                        failureOf(call).status.code shouldBe Code.DEADLINE_EXCEEDED
                    }
                }
            }
        }

        "a status exception goes out as it is, with its trailers and those of the call" {
            val trailers = Metadata().apply { put(REASON, "the exception's") }
            val status = Status.ABORTED.withDescription("try again")
            bothKinds {
                currentCall().trailers.put(REASON, "the call's")
                throw StatusException(status.withCause(IOException("secret")), trailers)
            }.values.forEach { service ->
                calling(service) { channel ->
                    allCalls(channel) { call ->
                        val failure = failureOf(call)
                        failure.status.code shouldBe Code.ABORTED
                        failure.status.description shouldBe "try again"
                        failure.trailers?.getAll(REASON)?.toList() shouldBe
                            listOf("the exception's", "the call's")
                    }
                }
            }
        }

        "the hooks are asked in their order before the types are" {
            bothKinds { throw IOException("full") }.values.forEach { service ->
                calling({
                    service()
                    mapFailure { null }
                    mapFailure { Status.RESOURCE_EXHAUSTED.withDescription("disk ${it.message}") }
                    mapFailure { error("not reached") }
                }) { channel ->
                    allCalls(channel) { call ->
                        val status = failureOf(call).status
                        status.code shouldBe Code.RESOURCE_EXHAUSTED
                        status.description shouldBe "disk full"
                    }
                }
            }
        }

        "a hook that fails, or makes a success of a failure, makes it INTERNAL" {
            listOf<(Throwable) -> Status?>({ error("secret") }, { Status.OK }).forEach { hook ->
                calling({
                    service(GREETER) { allKinds { throw IOException("secret") } }
                    mapFailure(hook)
                }) { channel ->
                    allCalls(channel) { call ->
                        val status = failureOf(call).status
                        status.code shouldBe Code.INTERNAL
                        status.description shouldBe null
                    }
                }
            }
        }

        "error details reach the caller, thrown by a service or by a hook" {
            val info = ErrorInfo.newBuilder().setReason("QUOTA").build()
            val detailed = statusException(Code.RESOURCE_EXHAUSTED, "no more", info)
            val thrown = bothKinds { throw detailed }
            val hooked =
                bothKinds { throw IOException() }.mapValues { (_, service) ->
                    val both: GrpcStreamBuilder.() -> Unit = {
                        service()
                        mapFailure { throw detailed }
                    }
                    both
                }
            (thrown.values + hooked.values).forEach { service ->
                calling(service) { channel ->
                    allCalls(channel) { call ->
                        val status = checkNotNull(failureOf(call).richStatus())
                        status.code shouldBe Code.RESOURCE_EXHAUSTED.value()
                        status.message shouldBe "no more"
                        status.detail<ErrorInfo>() shouldBe info
                        status.detail<com.google.rpc.BadRequest>() shouldBe null
                    }
                }
            }
            IOException("no status").richStatus() shouldBe null
        }

        "an interceptor sees the status that the peer gets, and the failure as its cause" {
            val failure = SecurityException("secret")
            bothKinds { throw failure }.values.forEach { service ->
                val statuses = CopyOnWriteArrayList<Status>()
                calling({
                    service()
                    intercept(ServerTap(onClose = { status, _ -> statuses += status }))
                }) { channel -> allCalls(channel) { failureOf(it) } }
                statuses shouldHaveSize 4
                statuses.forEach {
                    it.code shouldBe Code.PERMISSION_DENIED
                    it.cause shouldBeSameInstanceAs failure
                }
            }
        }

        "a failure is logged once, with its stack, as an error if nobody foresaw it" {
            listOf(IOException("lost") to "ERROR", SecurityException("odd") to "WARN")
                .forEach { (failure, level) ->
                    bothKinds { throw failure }.values.forEach { service ->
                        val lines =
                            logged {
                                calling(service) { channel ->
                                    shouldThrow<StatusException> {
                                        GreeterCoroutineStub(channel).sayHello(request("Ada"))
                                    }
                                }
                            }
                        lines.single { level in it } shouldContain
                            "greeter.Greeter/SayHello, called"
                        lines.count { checkNotNull(failure.message) in it } shouldBe 1
                        lines.any { it.startsWith("\tat ") } shouldBe true
                    }
                }
        }

        "hooks set in Java hold for coroutines, and the types of Kotlin's failures after them" {
            val failures =
                mapOf(
                    IOException("lost") to Code.DATA_LOSS,
                    NotImplementedError("later") to Code.UNIMPLEMENTED,
                )
            failures.forEach { (failure, code) ->
                bothKinds { throw failure }.values.forEach { service ->
                    calling({
                        service()
                        configure {
                            mapFailure { if (it is IOException) Status.DATA_LOSS else null }
                        }
                    }) { channel ->
                        allCalls(channel) { call -> failureOf(call).status.code shouldBe code }
                    }
                }
            }
        }

        "an interceptor that fails in the end of a call ends it, and loudly" {
            bothKinds { throw SecurityException("secret") }.values.forEach { service ->
                val lines =
                    logged {
                        calling({
                            service()
                            intercept(ServerTap(onClose = { _, _ -> error("broken tap") }))
                        }) { channel ->
                            allCalls(channel) { failureOf(it).status.code shouldBe Code.INTERNAL }
                        }
                    }
                lines.any { "an interceptor failed to close it" in it } shouldBe true
                lines.any { "broken tap" in it } shouldBe true
            }
        }
    })
