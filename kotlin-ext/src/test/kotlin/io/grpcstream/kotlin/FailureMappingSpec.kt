package io.grpcstream.kotlin

import com.google.rpc.ErrorInfo
import io.grpc.Metadata
import io.grpc.Status
import io.grpc.Status.Code
import io.grpc.StatusException
import io.grpcstream.GrpcStream
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineStub
import io.grpcstream.greeter.HelloReply
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeSameInstanceAs
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.withTimeout
import org.slf4j.Logger
import java.io.IOException
import java.lang.reflect.Proxy
import java.util.concurrent.CopyOnWriteArrayList
import kotlin.time.Duration.Companion.milliseconds

private val TYPES =
    mapOf(
        IllegalArgumentException("secret") to Code.INVALID_ARGUMENT,
        NumberFormatException("secret") to Code.INVALID_ARGUMENT,
        NoSuchElementException("secret") to Code.NOT_FOUND,
        IllegalStateException("secret") to Code.FAILED_PRECONDITION,
        UnsupportedOperationException("secret") to Code.UNIMPLEMENTED,
        NotImplementedError("secret") to Code.UNIMPLEMENTED,
        SecurityException("secret") to Code.PERMISSION_DENIED,
        CancellationException("secret") to Code.CANCELLED,
        IOException("secret") to Code.UNKNOWN,
        RuntimeException(Status.DATA_LOSS.withDescription("secret").asException()) to Code.UNKNOWN,
    )

private val REASON = Metadata.Key.of("x-reason", Metadata.ASCII_STRING_MARSHALLER)

/** What was logged at which level, with the failure's text. */
private class Recording {
    val lines = CopyOnWriteArrayList<String>()
    val logger =
        Proxy.newProxyInstance(
            Logger::class.java.classLoader,
            arrayOf(Logger::class.java),
        ) { _, method, arguments ->
            lines += "${method.name} ${arguments[0]}: ${(arguments[1] as Throwable).message}"
            null
        } as Logger
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
            val failure = IllegalArgumentException("secret")
            bothKinds { throw failure }.values.forEach { service ->
                val statuses = CopyOnWriteArrayList<Status>()
                calling({
                    service()
                    intercept(ServerTap(onClose = { status, _ -> statuses += status }))
                }) { channel -> allCalls(channel) { failureOf(it) } }
                statuses shouldHaveSize 4
                statuses.forEach {
                    it.code shouldBe Code.INVALID_ARGUMENT
                    it.cause shouldBeSameInstanceAs failure
                }
            }
        }

        "a failure is logged once, with its stack, as an error if nobody foresaw it" {
            listOf(IOException("lost") to "error", IllegalStateException("odd") to "warn")
                .forEach { (failure, level) ->
                    val recording = Recording()
                    val interceptor = ServiceInterceptor(log = FailureLog(recording.logger))
                    val grpc =
                        GrpcStream
                            .builder()
                            .intercept(interceptor)
                            .addService(generated { throw failure })
                            .build()
                            .serve()
                    twoHosts { dialer, listener ->
                        listener.handle(PROTOCOL, grpc.handler())
                        val stream = dialer.open(listener.listenAddresses().first(), PROTOCOL)
                        val channel = stream.grpcChannel()
                        shouldThrow<StatusException> {
                            GreeterCoroutineStub(channel).sayHello(request("Ada"))
                        }
                        channel.shutdownNow()
                    }
                    grpc.shutdownAndAwait(kotlin.time.Duration.ZERO)
                    recording.lines shouldHaveSize 1
                    recording.lines.single() shouldContain "$level greeter.Greeter/SayHello"
                    recording.lines.single() shouldContain checkNotNull(failure.message)
                }
        }

        "a peer that causes failures at will fills the log at a limited rate" {
            var now = 0L
            val recording = Recording()
            val log = FailureLog(recording.logger) { now }
            val method =
                io.grpcstream.greeter.GreeterGrpc
                    .getSayHelloMethod()
            val context = kotlin.coroutines.EmptyCoroutineContext
            val call = CallContext(method, Metadata(), null, context) {}
            repeat(FailureLog.STACKS_PER_WINDOW + 3) {
                log.failed(call, Status.UNKNOWN, IOException("lost"))
            }
            now += FailureLog.WINDOW_NANOS
            log.failed(call, Status.UNKNOWN, IOException("lost"))

            val levels = recording.lines.map { it.substringBefore(" ") }
            val allowed = List(FailureLog.STACKS_PER_WINDOW) { "error" }
            levels shouldContainExactly allowed + List(3) { "debug" } + "error"
            recording.lines.last() shouldContain "3 more failures"
        }
    })
