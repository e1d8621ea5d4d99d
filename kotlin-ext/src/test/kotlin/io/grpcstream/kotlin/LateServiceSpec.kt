package io.grpcstream.kotlin

import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeEmpty
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.flow.collect
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.job
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import java.util.concurrent.ConcurrentLinkedQueue

/** A service whose coroutine ends only after its host has. */
class LateServiceSpec :
    StringSpec({
        for (kind in CallKind.entries) {
            "a ${kind.title} service that outlives its host ends without an uncaught exception" {
                val uncaught = ConcurrentLinkedQueue<Throwable>()
                val before = Thread.getDefaultUncaughtExceptionHandler()
                Thread.setDefaultUncaughtExceptionHandler { _, e -> uncaught += e }
                try {
                    val hostsGone = CompletableDeferred<Unit>()
                    val hanging = HangingCall(kind)
                    val service = CompletableDeferred<Job>()
                    val handler: Handler = { requests ->
                        flow {
                            service.complete(currentCoroutineContext().job)
                            try {
                                requests.collect { hanging.started.complete(Unit) }
                                awaitCancellation()
                            } finally {
                                withContext(NonCancellable) { hostsGone.await() }
                            }
                        }
                    }
                    calling(OwnStyle, handler) { scope ->
                        val call =
                            scope.launch { kind.call(client, hanging.requests).collect() }
                        hanging.started.await()
                        call.cancelAndJoin()
                    }
                    hostsGone.complete(Unit)
                    service.await().join()
                    uncaught.toList().shouldBeEmpty()
                } finally {
                    Thread.setDefaultUncaughtExceptionHandler(before)
                }
            }
        }
    })
