package io.grpcstream.kotlin

import io.grpc.Metadata
import io.grpc.ServerCall
import io.grpc.ServerCallHandler
import io.grpc.ServerInterceptor
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineStub
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.types.shouldBeSameInstanceAs
import kotlinx.coroutines.CoroutineName
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.withContext
import kotlin.coroutines.CoroutineContext

private val CALLER: Metadata.Key<String> =
    Metadata.Key.of("caller", Metadata.ASCII_STRING_MARSHALLER)

private object NamePropagator : ContextPropagator {
    override fun inject(
        context: CoroutineContext,
        headers: Metadata,
    ) {
        headers.put(CALLER, context[CoroutineName]?.name ?: "nobody")
    }
}

/** Keeps the request headers of the last call. */
private class HeaderNote : ServerInterceptor {
    @Volatile
    var last: Metadata? = null

    override fun <Q, R> interceptCall(
        call: ServerCall<Q, R>,
        headers: Metadata,
        next: ServerCallHandler<Q, R>,
    ): ServerCall.Listener<Q> {
        last = headers
        return next.startCall(call, headers)
    }

    fun callers() = last?.getAll(CALLER)?.toList()
}

class CallerContextSpec :
    StringSpec({
        KINDS.forEach { (kind, call) ->
            "the caller's context reaches the propagator of a $kind call" {
                val note = HeaderNote()
                calling(ScriptedGreeter(), note) { channel ->
                    val propagating =
                        channel.withInterceptors(NamePropagator.asClientInterceptor())
                    withContext(CoroutineName("Grace")) { propagating.call(flowOf()) }
                    note.callers() shouldBe listOf("Grace")
                }
            }
        }

        "a generated stub has the caller's context once told" {
            val note = HeaderNote()
            calling(ScriptedGreeter(), note) { channel ->
                val stub =
                    GreeterCoroutineStub(channel)
                        .withInterceptors(NamePropagator.asClientInterceptor())
                withContext(CoroutineName("Grace")) {
                    stub.withCallerContext().sayHello(request("Ada"))
                    note.callers() shouldBe listOf("Grace")
                    stub.sayHello(request("Ada"))
                    note.callers() shouldBe listOf("nobody")
                }
            }
        }

        "the headers given to a call arrive, and nothing is added to them" {
            val note = HeaderNote()
            calling(ScriptedGreeter(), note) { channel ->
                val propagating = channel.withInterceptors(NamePropagator.asClientInterceptor())
                val headers = Metadata().apply { put(CALLER, "Ada") }
                repeat(2) {
                    withContext(CoroutineName("Grace")) {
                        propagating.unary(UNARY, request("Ada"), headers = headers)
                    }
                    note.callers() shouldBe listOf("Ada", "Grace")
                }
                headers.getAll(CALLER)?.toList() shouldBe listOf("Ada")
            }
        }

        KINDS.forEach { (kind, call) ->
            "what a propagator throws fails its $kind call alone, as it is" {
                val failure = NoSuchElementException("no trace")
                val failing =
                    object : ContextPropagator {
                        override fun inject(
                            context: CoroutineContext,
                            headers: Metadata,
                        ): Unit = throw failure
                    }
                calling { channel ->
                    shouldThrow<NoSuchElementException> {
                        channel.withInterceptors(failing.asClientInterceptor()).call(flowOf())
                    }.rootCause() shouldBeSameInstanceAs failure
                    channel.unary(UNARY, request("Ada")).message shouldBe "Hello, Ada!"
                }
            }
        }
    })
