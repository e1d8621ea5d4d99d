package io.grpcstream.samples.gateway

import com.google.rpc.BadRequest
import io.grpc.Context
import io.grpc.Metadata
import io.grpc.Status.Code
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineImplBase
import io.grpcstream.greeter.HelloReply
import io.grpcstream.greeter.HelloRequest
import io.grpcstream.greeter.helloReply
import io.grpcstream.kotlin.currentCall
import io.grpcstream.kotlin.statusException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.toList
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.milliseconds

/** A greeter that does what it is told by the names that it is to greet. */
internal class Actor : GreeterCoroutineImplBase() {
    /** The headers of the last call. */
    @Volatile
    var headers = Metadata()

    /** Milliseconds that the last call had left, if it had a deadline. */
    @Volatile
    var left: Long? = null

    /** Complete once a call that hangs was cancelled. */
    val cancelled = CompletableDeferred<Unit>()

    /** Messages that were sent by streams without end. */
    val sent = AtomicInteger()

    override suspend fun sayHello(request: HelloRequest): HelloReply {
        note()
        val words = request.name.split(' ')
        when (words[0]) {
            "fail" -> throw failure(words[1])
            "hang" -> hang()
            "long" -> return reply("x".repeat(words[1].toInt()))
        }
        currentCall().responseHeaders.put(SAID, "header")
        currentCall().responseHeaders.put(COOKIE, "evil=1")
        currentCall().trailers.put(SAID, "trailer")
        return reply("Hello, ${request.name}!")
    }

    override fun sayHelloStream(request: HelloRequest): Flow<HelloReply> =
        flow {
            note()
            val words = request.name.split(' ')
            when (words[0]) {
                "fail" -> {
                    throw failure(words[1])
                }

                "late" -> {
                    repeat(2) { emit(reply("$it")) }
                }

                "count" -> {
                    repeat(words[1].toInt()) { emit(reply("$it")) }
                }

                "hang" -> {
                    reply("first").also { emit(it) }.also { hang() }
                }

                "tick" -> {
                    repeat(words[1].toInt()) {
                        emit(reply("$it")).also { delay(words[2].toInt().milliseconds) }
                    }
                }

                "flood" -> {
                    while (true) {
                        emit(
                            reply("x".repeat(words[1].toInt())),
                        ).also { sent.incrementAndGet() }
                    }
                }

                else -> {
                    words.forEach { emit(reply("Hello, $it!")) }
                }
            }
            if (words[0] == "late") throw failure(words[1])
        }

    override suspend fun sayHelloMany(requests: Flow<HelloRequest>): HelloReply =
        reply("Hello, ${requests.toList().joinToString(" and ") { it.name }}!")

    override fun chat(requests: Flow<HelloRequest>): Flow<HelloReply> =
        requests.map {
            reply("Hello, ${it.name}!")
        }

    private suspend fun note() {
        headers = Metadata().apply { merge(currentCall().headers) }
        left = Context.current().deadline?.timeRemaining(TimeUnit.MILLISECONDS)
    }

    private suspend fun hang(): Nothing =
        try {
            awaitCancellation()
        } finally {
            cancelled.complete(Unit)
        }

    private fun failure(code: String) =
        statusException(
            Code.valueOf(code),
            "told to — $code",
            BadRequest
                .newBuilder()
                .addFieldViolations(
                    BadRequest.FieldViolation
                        .newBuilder()
                        .setField(
                            "name",
                        ).setDescription("it says so"),
                ).build(),
        )

    private fun reply(text: String) = helloReply { message = text }

    private companion object {
        val SAID: Metadata.Key<String> = Metadata.Key.of("x-said", Metadata.ASCII_STRING_MARSHALLER)
        val COOKIE: Metadata.Key<String> =
            Metadata.Key.of(
                "set-cookie",
                Metadata.ASCII_STRING_MARSHALLER,
            )
    }
}
