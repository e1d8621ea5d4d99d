package io.grpcstream.samples.shop

import io.grpc.Status
import java.sql.SQLException

/** What the shop refuses to do, in words for its caller. */
sealed class Refusal(
    message: String,
) : Exception(message)

/** Asked for something that makes no sense. */
class Invalid(
    message: String,
) : Refusal(message)

/** Asked for something that is not there. */
class NotFound(
    message: String,
) : Refusal(message)

/** Asked for one thing under the id of another. */
class Conflict(
    message: String,
) : Refusal(message)

/** Asked for something that is not the caller's business. */
class Forbidden(
    message: String,
) : Refusal(message)

/**
 * The status that a service's failure becomes, or null for those that gRPC knows itself. A store that
 * fails may be back soon: the caller is told to try again, but not what the store said.
 */
fun statusOf(failure: Throwable): Status? =
    when (failure) {
        is Invalid -> Status.INVALID_ARGUMENT.withDescription(failure.message)
        is NotFound -> Status.NOT_FOUND.withDescription(failure.message)
        is Conflict -> Status.ALREADY_EXISTS.withDescription(failure.message)
        is Forbidden -> Status.PERMISSION_DENIED.withDescription(failure.message)
        is SQLException -> Status.UNAVAILABLE.withDescription("the store fails")
        else -> null
    }
