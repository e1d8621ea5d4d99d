package io.grpcstream.kotlin

import com.google.protobuf.Message
import com.google.rpc.Status
import io.grpc.Status.Code
import io.grpc.StatusException
import io.grpc.protobuf.StatusProto
import com.google.protobuf.Any as ProtoAny

/**
 * The status with its error details that this failure of a call carries, itself or as one of its
 * causes; null if there is no gRPC status in it. A status that was sent without details has none.
 *
 * ```
 * } catch (e: StatusException) {
 *     missing = e.richStatus()?.detail<BadRequest>()
 * ```
 *
 * Fails with [IllegalArgumentException] if the peer sent details that cannot be parsed.
 */
public fun Throwable.richStatus(): Status? = StatusProto.fromThrowable(this)

/**
 * A failure for services to throw, with error details that the caller reads by [richStatus], such as
 * those of `com.google.rpc`'s `error_details.proto`. They travel in the trailers, and count towards
 * the caller's limit for metadata (8 KiB as a rule).
 *
 * ```
 * val violation = FieldViolation.newBuilder().setField("name")
 * val details = BadRequest.newBuilder().addFieldViolations(violation).build()
 * throw statusException(Code.INVALID_ARGUMENT, "no name", details)
 * ```
 */
public fun statusException(
    code: Code,
    message: String,
    vararg details: Message,
): StatusException =
    StatusProto.toStatusException(
        Status
            .newBuilder()
            .setCode(code.value())
            .setMessage(message)
            .addAllDetails(details.map { ProtoAny.pack(it) })
            .build(),
    )

/**
 * The first of the details that is a [D], or null.
 *
 * Fails with [InvalidProtocolBufferException][com.google.protobuf.InvalidProtocolBufferException] if
 * it cannot be parsed.
 */
public inline fun <reified D : Message> Status.detail(): D? =
    detailsList.firstOrNull { it.`is`(D::class.java) }?.unpack(D::class.java)
