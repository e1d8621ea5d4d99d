package io.grpcstream.samples.peercurl.doors

import io.netty.util.concurrent.Future
import kotlinx.coroutines.suspendCancellableCoroutine
import kotlin.coroutines.resume
import kotlin.coroutines.resumeWithException

/** Waits for Netty's work to be done; fails as it does. Cancelled, it lets the work go on. */
internal suspend fun Future<*>.awaitDone() {
    suspendCancellableCoroutine { continuation ->
        addListener { done ->
            if (done.isSuccess) {
                continuation.resume(
                    Unit,
                )
            } else {
                continuation.resumeWithException(done.cause())
            }
        }
    }
}
