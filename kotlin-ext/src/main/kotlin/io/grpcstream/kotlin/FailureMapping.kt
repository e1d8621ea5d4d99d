package io.grpcstream.kotlin

import io.grpc.Metadata
import io.grpc.Status
import io.grpc.StatusException
import io.grpc.StatusRuntimeException
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.TimeoutCancellationException

/** What a call is closed with. */
internal class Closing(
    val status: Status,
    val trailers: Metadata?,
)

/** How [failure] closes a call if nobody maps it: a status is sent as it is, all else stays here. */
internal fun closingOf(failure: Throwable): Closing =
    when (failure) {
        is StatusException -> Closing(failure.status, failure.trailers)
        is StatusRuntimeException -> Closing(failure.status, failure.trailers)
        is CancellationException -> Closing(Status.CANCELLED.withCause(failure), null)
        else -> Closing(Status.UNKNOWN.withCause(failure), null)
    }

/**
 * Which status the failure of a service becomes: the first answer of the user's [hooks], or else the
 * code that fits the exception's type. Nothing of a failure's text reaches the peer by itself.
 */
internal class FailureMapping(
    private val hooks: List<(Throwable) -> Status?> = emptyList(),
) {
    /** Throws what a hook throws, unless that is a status. */
    fun closingFor(failure: Throwable): Closing {
        val status =
            hooked(failure) ?: return Closing(defaultStatus(failure).withCause(failure), null)
        check(!status.status.isOk) { "mapFailure made OK of a failure" }
        return Closing(status.status.withCause(failure), status.trailers)
    }

    private fun hooked(failure: Throwable): Closing? =
        try {
            hooks.firstNotNullOfOrNull { it(failure) }?.let { Closing(it, null) }
        } catch (e: StatusException) {
            closingOf(e)
        } catch (e: StatusRuntimeException) {
            closingOf(e)
        }

    private fun defaultStatus(failure: Throwable): Status =
        when (failure) {
            is TimeoutCancellationException -> Status.DEADLINE_EXCEEDED
            is CancellationException -> Status.CANCELLED
            is IllegalArgumentException -> Status.INVALID_ARGUMENT
            is NoSuchElementException -> Status.NOT_FOUND
            is IllegalStateException -> Status.FAILED_PRECONDITION
            is UnsupportedOperationException, is NotImplementedError -> Status.UNIMPLEMENTED
            is SecurityException -> Status.PERMISSION_DENIED
            else -> Status.UNKNOWN
        }
}

/**
 * The failure of the service that this status hides, or null if the service chose the status itself.
 *
 * Services close with `UNKNOWN` or `CANCELLED` and the failure as cause. Those of grpc-kotlin also
 * take the status of a status exception which the failure merely wraps, such as that of a call they
 * made: that would tell our peer what another told us.
 */
internal fun Status.hiddenFailure(): Throwable? {
    val failure = cause
    return when {
        failure == null || failure is StatusException || failure is StatusRuntimeException -> null
        code == Status.Code.UNKNOWN && description == null -> failure
        code == Status.Code.CANCELLED && failure is CancellationException -> failure
        failure.wrapsStatus(this) -> failure
        else -> null
    }
}

private fun Throwable.wrapsStatus(status: Status): Boolean =
    generateSequence(cause) { it.cause }
        .mapNotNull { (it as? StatusException)?.status ?: (it as? StatusRuntimeException)?.status }
        .firstOrNull()
        ?.let { it.code == status.code && it.description == status.description } ?: false
