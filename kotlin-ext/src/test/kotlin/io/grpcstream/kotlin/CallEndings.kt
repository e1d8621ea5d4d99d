package io.grpcstream.kotlin

import io.grpc.CallOptions
import io.grpc.Status
import io.grpc.StatusException
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldNotContain
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.flow.asFlow
import kotlinx.coroutines.flow.collect
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.single
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import java.util.concurrent.TimeUnit

/** Long enough to reach the service, short enough to wait for. */
private const val DEADLINE_MILLIS = 500L

private const val SECRET = "the password is swordfish"

private class ServiceFault : Exception(SECRET)

/** How calls end. */
internal object CallEndings {
    suspend fun normal(
        style: CallStyle,
        kind: CallKind,
    ) {
        val names = if (kind.manyRequests) listOf("Ada", "Grace", "Alan") else listOf("Ada")
        val greetings =
            when (kind) {
                CallKind.UNARY -> listOf("Hello, Ada!")
                CallKind.SERVER_STREAMING -> listOf("Hello, Ada!", "Salut, Ada!", "Hallo, Ada!")
                CallKind.CLIENT_STREAMING -> listOf("Hello, Ada, Grace, Alan!")
                CallKind.BIDI_STREAMING -> names.map { "Hello, $it!" }
            }
        val served = CompletableDeferred<List<String>>()
        val handler: Handler = { requests ->
            flow {
                val seen = requests.toList()
                greetings.forEach { emit(it) }
                served.complete(seen)
            }
        }
        calling(style, handler) {
            kind.call(client, names.asFlow()).toList() shouldContainExactly greetings
            served.await() shouldContainExactly names
        }
    }

    suspend fun clientCancels(
        style: CallStyle,
        kind: CallKind,
    ) {
        val hanging = HangingCall(kind)
        calling(style, hanging.handler) { scope ->
            val call = scope.launch { kind.call(client, hanging.requests).collect() }
            hanging.started.await()
            call.cancelAndJoin()
            hanging.awaitCancelled()
        }
    }

    suspend fun serverCancels(
        style: CallStyle,
        kind: CallKind,
    ) {
        val hanging = HangingCall(kind)
        val handler: Handler = {
            it.map { throw CancellationException("no more today") }
        }
        calling(style, handler) { scope ->
            val failure =
                shouldThrow<StatusException> { kind.call(client, hanging.requests).collect() }
            failure.status.code shouldBe Status.Code.CANCELLED
            hanging.requestsEnd.await()
            scope.ensureActive() // It is the call that was cancelled, not its caller.
        }
    }

    suspend fun deadline(
        style: CallStyle,
        kind: CallKind,
    ) {
        val hanging = HangingCall(kind)
        calling(style, hanging.handler) {
            val options =
                CallOptions.DEFAULT.withDeadlineAfter(DEADLINE_MILLIS, TimeUnit.MILLISECONDS)
            val failure =
                shouldThrow<StatusException> {
                    kind.call(client(options), hanging.requests).collect()
                }
            failure.status.code shouldBe Status.Code.DEADLINE_EXCEEDED
            hanging.awaitCancelled()
        }
    }

    suspend fun exception(
        style: CallStyle,
        kind: CallKind,
    ) {
        val waiting = CompletableDeferred<Unit>()
        val gate = CompletableDeferred<Unit>()
        val handler: Handler = { requests ->
            flow {
                if (requests.toList().single() == "fail") throw ServiceFault()
                waiting.complete(Unit)
                gate.await()
                emit("done")
            }
        }
        calling(style, handler) { scope ->
            val other = scope.async { kind.call(client, flowOf("wait")).single() }
            waiting.await()
            val failure =
                shouldThrow<StatusException> { kind.call(client, flowOf("fail")).collect() }
            failure.status.code shouldBe Status.Code.UNKNOWN
            "${failure.status} ${failure.trailers}" shouldNotContain SECRET
            gate.complete(Unit)
            other.await() shouldBe "done"
        }
    }

    suspend fun connectionCut(
        style: CallStyle,
        kind: CallKind,
    ) = cut(style, kind) { cutConnection() }

    suspend fun streamReset(
        style: CallStyle,
        kind: CallKind,
    ) = cut(style, kind) { stream.reset() }

    private suspend fun cut(
        style: CallStyle,
        kind: CallKind,
        cut: CallRig.() -> Unit,
    ) {
        val hanging = HangingCall(kind)
        calling(style, hanging.handler) { scope ->
            val failure =
                scope.async {
                    shouldThrow<StatusException> { kind.call(client, hanging.requests).collect() }
                }
            hanging.started.await()
            cut()
            failure.await().status.code shouldBe Status.Code.UNAVAILABLE
            hanging.awaitCancelled()
        }
    }
}
