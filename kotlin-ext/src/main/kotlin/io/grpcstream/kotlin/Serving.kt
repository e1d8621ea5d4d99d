package io.grpcstream.kotlin

import io.grpcstream.GrpcStream
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlin.time.Duration
import kotlin.time.toKotlinDuration

/**
 * Serves all inbound streams from now on, and makes that a part of [scope]: the job that this
 * returns lives there until the [GrpcStream] has ended. Like `launchIn` it returns at once, and can
 * be called from any thread and outside coroutines.
 *
 * When the scope or the job is cancelled, the GrpcStream shuts down: it takes no new streams and
 * calls, those in flight have [grace] to finish, then they are cut. The job, and so the scope,
 * completes when all of them have ended. The same happens if the scope is cancelled or complete
 * already. The job completes as well when somebody else has shut the GrpcStream down.
 *
 * ```
 * val serving = grpc.serveIn(this)
 * host.handle("/greeter/1.0.0", grpc.handler())
 * ```
 *
 * Fails with [IllegalStateException] after a shutdown.
 */
public fun GrpcStream.serveIn(
    scope: CoroutineScope,
    grace: Duration = GrpcStream.DEFAULT_GRACE.toKotlinDuration(),
): Job {
    serve()
    // Undispatched, as that begins also in a scope that is cancelled.
    return scope.launch(start = CoroutineStart.UNDISPATCHED) {
        try {
            awaitTermination()
        } finally {
            withContext(NonCancellable) { shutdownAndAwait(grace) }
        }
    }
}

/**
 * Suspends until this has been shut down, by whomever, and all its streams have ended. Cancelling
 * the coroutine ends the wait alone.
 */
public suspend fun GrpcStream.awaitTermination() {
    terminated().awaitCompletion()
}
