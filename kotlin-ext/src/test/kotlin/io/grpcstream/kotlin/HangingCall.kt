package io.grpcstream.kotlin

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow

/** A call that neither side ends by itself: only a cancellation does. */
internal class HangingCall(
    kind: CallKind,
) {
    /** Completes once the service has the first request. */
    val started = CompletableDeferred<Unit>()

    /** Completes with what ended the service's coroutine. */
    val serviceEnd = CompletableDeferred<CancellationException>()

    /** Completes once the client's flow of requests has ended; a single request does at once. */
    val requestsEnd = CompletableDeferred<Unit>()

    val requests: Flow<String> =
        flow {
            try {
                emit("first")
                if (kind.manyRequests) {
                    awaitCancellation()
                }
            } finally {
                requestsEnd.complete(Unit)
            }
        }

    val handler: Handler = { incoming ->
        flow {
            try {
                incoming.collect {
                    if (kind.manyReplies) {
                        emit(it)
                    }
                    started.complete(Unit)
                }
                awaitCancellation()
            } catch (e: CancellationException) {
                serviceEnd.complete(e)
                throw e
            }
        }
    }

    /** Waits until all coroutines of the call have been cancelled. */
    suspend fun awaitCancelled() {
        serviceEnd.await()
        requestsEnd.await()
    }
}
