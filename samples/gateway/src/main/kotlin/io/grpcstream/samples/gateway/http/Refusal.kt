package io.grpcstream.samples.gateway.http

import com.linecorp.armeria.common.HttpStatus
import io.grpc.Metadata
import io.grpc.Status

/**
 * What the gateway answers by itself, without having called a peer: thrown where a request is looked
 * at, and told to its client in the form that the client speaks.
 *
 * @param http the status of the HTTP response, where gRPC's has no good word for it
 */
internal class Refusal(
    val status: Status,
    val http: HttpStatus = status.code.toHttp(),
    cause: Throwable? = null,
) : Exception(status.description, cause)

/** The same, from its parts. */
internal fun refusal(
    code: Status.Code,
    why: String,
    http: HttpStatus = code.toHttp(),
): Refusal = Refusal(code.toStatus().withDescription(why), http)

/** A request that makes no sense, and why. */
internal fun malformed(
    why: String,
    cause: Throwable? = null,
): Refusal = Refusal(Status.INVALID_ARGUMENT.withDescription(why), cause = cause)

/** The status of HTTP that `google/rpc/code.proto` gives for this one. */
internal fun Status.Code.toHttp(): HttpStatus =
    when (this) {
        Status.Code.OK -> HttpStatus.OK

        Status.Code.CANCELLED -> CLIENT_CLOSED_REQUEST

        Status.Code.INVALID_ARGUMENT,
        Status.Code.FAILED_PRECONDITION,
        Status.Code.OUT_OF_RANGE,
        -> HttpStatus.BAD_REQUEST

        Status.Code.UNAUTHENTICATED -> HttpStatus.UNAUTHORIZED

        Status.Code.PERMISSION_DENIED -> HttpStatus.FORBIDDEN

        Status.Code.NOT_FOUND -> HttpStatus.NOT_FOUND

        Status.Code.ALREADY_EXISTS,
        Status.Code.ABORTED,
        -> HttpStatus.CONFLICT

        Status.Code.RESOURCE_EXHAUSTED -> HttpStatus.TOO_MANY_REQUESTS

        Status.Code.UNIMPLEMENTED -> HttpStatus.NOT_IMPLEMENTED

        Status.Code.UNAVAILABLE -> HttpStatus.SERVICE_UNAVAILABLE

        Status.Code.DEADLINE_EXCEEDED -> HttpStatus.GATEWAY_TIMEOUT

        Status.Code.UNKNOWN,
        Status.Code.INTERNAL,
        Status.Code.DATA_LOSS,
        -> HttpStatus.INTERNAL_SERVER_ERROR
    }

private val CLIENT_CLOSED_REQUEST = HttpStatus.valueOf(499)

/** How a call has ended: its status and its trailers. */
internal class Ending(
    val status: Status,
    val trailers: Metadata = Metadata(),
    /** What HTTP says of it, if nothing was said so far. */
    val http: HttpStatus = status.code.toHttp(),
)
