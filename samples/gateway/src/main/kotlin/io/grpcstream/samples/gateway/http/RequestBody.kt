package io.grpcstream.samples.gateway.http

import com.linecorp.armeria.common.HttpData
import com.linecorp.armeria.common.HttpObject
import com.linecorp.armeria.common.HttpRequest
import com.linecorp.armeria.common.HttpStatus
import io.grpc.Status
import kotlinx.coroutines.suspendCancellableCoroutine
import org.reactivestreams.Subscriber
import org.reactivestreams.Subscription
import java.io.ByteArrayOutputStream
import java.util.concurrent.atomic.AtomicLong
import kotlin.coroutines.resume
import kotlin.coroutines.resumeWithException

/** The bytes that bodies of requests may hold in memory, all together. For any thread. */
internal class BodyMemory(
    private val limit: Long,
) {
    private val used = AtomicLong()

    /** Those of one request, taken as they come and given back together. */
    inner class Share : AutoCloseable {
        private var taken = 0L

        fun take(bytes: Int) {
            taken += bytes
            if (used.addAndGet(bytes.toLong()) > limit) {
                throw refusal(
                    Status.Code.UNAVAILABLE,
                    "requests under way hold $limit bytes, the gateway's limit: try again",
                )
            }
        }

        override fun close() {
            used.addAndGet(-taken)
            taken = 0
        }
    }
}

/**
 * The body of this request, read as it comes.
 *
 * @param limit how many bytes it may have; the rest of one that is longer is not read
 * @throws Refusal if it has more, or all requests together have
 */
internal suspend fun HttpRequest.readBody(
    limit: Long,
    share: BodyMemory.Share,
): ByteArray {
    val announced = headers().contentLength()
    if (announced > limit) {
        abort()
        throw tooLarge("$announced bytes", limit)
    }
    return suspendCancellableCoroutine { continuation ->
        continuation.invokeOnCancellation { abort() }
        subscribe(
            object : Subscriber<HttpObject> {
                private val body = ByteArrayOutputStream()
                private lateinit var subscription: Subscription
                private var failed = false

                override fun onSubscribe(subscription: Subscription) {
                    this.subscription = subscription
                    subscription.request(1)
                }

                override fun onNext(part: HttpObject) {
                    if (part is HttpData && !failed) {
                        try {
                            if (body.size() + part.length() > limit) throw tooLarge("more", limit)
                            share.take(part.length())
                            body.write(part.array())
                        } catch (refusal: Refusal) {
                            failed = true
                            subscription.cancel()
                            continuation.resumeWithException(refusal)
                            return
                        }
                    }
                    subscription.request(1)
                }

                override fun onError(failure: Throwable) {
                    if (!failed) continuation.resumeWithException(failure)
                }

                override fun onComplete() {
                    if (!failed) continuation.resume(body.toByteArray())
                }
            },
        )
    }
}

private fun tooLarge(
    found: String,
    limit: Long,
) = refusal(
    Status.Code.RESOURCE_EXHAUSTED,
    "the request's body has $found, the gateway takes $limit bytes",
    HttpStatus.REQUEST_ENTITY_TOO_LARGE,
)
