package io.grpcstream.kotlin

import kotlinx.coroutines.suspendCancellableCoroutine
import java.util.concurrent.CompletionException
import java.util.concurrent.CompletionStage
import java.util.concurrent.atomic.AtomicReference
import kotlin.coroutines.resumeWithException

/**
 * The result of this stage, which is a resource: if the coroutine is cancelled, the stage is
 * cancelled too, and a result that comes all the same is [release]d instead of lost.
 */
internal suspend fun <T : Any> CompletionStage<T>.awaitResource(release: (T) -> Unit): T =
    suspendCancellableCoroutine { continuation ->
        val future = toCompletableFuture()
        future.whenComplete { result: T?, failure: Throwable? ->
            if (result != null) {
                continuation.resume(result) { _, late, _ -> release(late) }
            } else {
                continuation.resumeWithException(failure.unwrapped())
            }
        }
        continuation.invokeOnCancellation { future.cancel(false) }
    }

/**
 * The end of this stage; cancelling the coroutine leaves the stage alone. A stage keeps all its
 * callbacks until it ends, which may be as late as the process does: what a cancelled wait leaves
 * there is empty, and does not keep the coroutine and all that it refers to.
 */
internal suspend fun CompletionStage<Void>.awaitCompletion(): Unit =
    suspendCancellableCoroutine { continuation ->
        val waiting = AtomicReference(continuation)
        continuation.invokeOnCancellation { waiting.set(null) }
        whenComplete { _, failure: Throwable? ->
            val resumed = waiting.get()
            if (failure == null) {
                resumed?.resume(Unit) { _, _, _ -> }
            } else {
                resumed?.resumeWithException(failure.unwrapped())
            }
        }
    }

/** What failed, without the wrapper that dependent stages put around it. */
private fun Throwable?.unwrapped(): Throwable {
    val failure = checkNotNull(this) { "the stage completed without a result" }
    return if (failure is CompletionException) failure.cause ?: failure else failure
}
