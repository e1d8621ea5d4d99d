package io.grpcstream.samples.interop

import io.grpc.Metadata
import io.grpc.Status
import io.grpc.StatusException
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineStub
import io.grpcstream.greeter.HelloRequest
import io.grpcstream.greeter.helloRequest
import io.grpcstream.interop.CallName
import io.grpcstream.interop.InteropGrpcKt.InteropCoroutineStub
import io.grpcstream.interop.callName
import io.grpcstream.kotlin.grpcChannel
import io.grpcstream.kotlin.use
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.consumeAsFlow
import kotlinx.coroutines.flow.produceIn
import kotlinx.coroutines.supervisorScope
import java.util.UUID
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.TimeSource

private val INTERVAL = 20.milliseconds
private val STILL = 500.milliseconds

/** Runs with a greeter on a stream of its own. */
internal suspend fun <T> Peer.useGreeter(block: suspend (GreeterCoroutineStub) -> T): T =
    host().grpcChannel(address(), Peer.PROTOCOL).use { block(GreeterCoroutineStub(it)) }

/** Runs with the other service on a stream of its own. */
internal suspend fun <T> Peer.useInterop(block: suspend (InteropCoroutineStub) -> T): T =
    host().grpcChannel(address(), Peer.PROTOCOL).use { block(InteropCoroutineStub(it)) }

/** Runs with a Chat that has been answered once, on a stream of its own. */
internal suspend fun <T> Peer.useChat(block: suspend (GreeterCoroutineStub, Chat) -> T): T =
    useGreeter { greeter ->
        supervisorScope {
            val chat = Chat(greeter, this)
            chat.greet("Ada")
            block(greeter, chat)
        }
    }

/** A Chat, name by name; how it fails, [awaitReply] tells, so its scope must be a supervisor's. */
internal class Chat(
    greeter: GreeterCoroutineStub,
    scope: CoroutineScope,
) {
    private val names = Channel<HelloRequest>()
    private val replies = greeter.chat(names.consumeAsFlow()).produceIn(scope)

    /** Sends a name, and waits for the greeting. */
    suspend fun greet(name: String) {
        send(name)
        awaitReply() shouldBe "Hello, $name!"
    }

    suspend fun send(name: String) = names.send(request(name))

    suspend fun awaitReply(): String = replies.receive().message

    /** Half-closes the call, and waits for its end. */
    suspend fun end() {
        names.close()
        val last = replies.receiveCatching()
        last.getOrNull().shouldBeNull()
        last.exceptionOrNull()?.let { throw it }
    }
}

internal fun request(who: String): HelloRequest = helloRequest { name = who }

/** A new name, and the headers that give it to a call. */
internal class Watched {
    private val key = UUID.randomUUID().toString()
    val name: CallName = callName { name = key }
    val headers: Metadata = Metadata().apply { put(Calls.NAME, key) }
}

/** Checks that [block] fails with that code, and returns the failure. */
internal suspend fun shouldFail(
    code: Status.Code,
    block: suspend () -> Unit,
): StatusException {
    val failure = shouldThrow<StatusException> { block() }
    withClue(failure) { failure.status.code shouldBe code }
    return failure
}

/** Asks, 50 times a second, until the condition holds. */
internal suspend fun eventually(condition: suspend () -> Boolean) {
    while (!condition()) delay(INTERVAL)
}

/** Waits until a counter, above 0, has not moved for half a second, and returns it. */
internal suspend fun standstill(counter: suspend () -> Int): Int {
    var last = 0
    var since = TimeSource.Monotonic.markNow()
    eventually {
        val now = counter()
        if (now != last) {
            last = now
            since = TimeSource.Monotonic.markNow()
        }
        last > 0 && since.elapsedNow() >= STILL
    }
    return last
}
