package io.grpcstream.samples.replicas

import io.grpc.Channel
import io.grpc.StatusException
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineStub
import io.grpcstream.greeter.helloRequest
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.delay
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Semaphore
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

/**
 * Calls greeters over [channel] at an even pace of [perSecond]. Where so many cannot be made, because
 * the machine is busy or [IN_FLIGHT] of them have not ended, it makes fewer and does not make up for it.
 */
class Load(
    private val channel: Channel,
    private val perSecond: Int,
) {
    /** Calls while [block] runs; once it and all calls have ended, returns what became of the calls. */
    suspend fun during(block: suspend CoroutineScope.(Tally) -> Unit): Tally {
        val tally = Tally()
        coroutineScope {
            val calls = launch { call(tally, this@coroutineScope) }
            block(tally)
            calls.cancel()
        }
        return tally
    }

    private suspend fun call(
        tally: Tally,
        scope: CoroutineScope,
    ) {
        val greeter = GreeterCoroutineStub(channel)
        val inFlight = Semaphore(IN_FLIGHT)
        var due = TimeSource.Monotonic.markNow()
        while (true) {
            currentCoroutineContext().ensureActive()
            inFlight.acquire()
            scope.launch {
                try {
                    greeter.sayHello(tally)
                } finally {
                    inFlight.release()
                }
            }
            due += 1.seconds / perSecond
            val late = due.elapsedNow()
            if (late.isNegative()) {
                delay(-late)
            } else if (late > FORGIVEN) {
                due += late
            }
        }
    }

    private suspend fun GreeterCoroutineStub.sayHello(tally: Tally) {
        val answerer = Answerer()
        try {
            withInterceptors(answerer).sayHello(helloRequest { name = "Ada" })
            tally.answer(answerer.peer())
        } catch (e: StatusException) {
            tally.failure(e.status)
        }
    }

    private companion object {
        const val IN_FLIGHT = 256
        val FORGIVEN = 100.milliseconds
    }
}
