package io.grpcstream.kotlin

import io.grpc.Metadata
import io.grpc.Status
import io.grpc.StatusException
import io.grpc.StatusRuntimeException
import io.grpcstream.FailureInterceptor
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.TimeoutCancellationException
import java.util.function.Function

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

/** The statuses of Kotlin's own exceptions, of which the core knows nothing. */
internal fun statusOfKotlinFailure(failure: Throwable): Status? =
    when (failure) {
        is TimeoutCancellationException -> Status.DEADLINE_EXCEEDED
        is NotImplementedError -> Status.UNIMPLEMENTED
        else -> null
    }

/** Maps and logs the failures of coroutines, by the mapping of the server around it if it has one. */
internal fun coroutineFailures(): FailureInterceptor =
    FailureInterceptor(listOf(Function<Throwable, Status?>(::statusOfKotlinFailure)))
