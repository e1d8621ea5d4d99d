package io.grpcstream.samples.peercurl

import io.grpc.Status
import io.grpc.StatusException
import io.grpc.StatusRuntimeException
import io.grpcstream.GrpcStream
import io.grpcstream.libp2p.Libp2pException
import io.grpcstream.samples.dynamic.SchemaException
import io.grpcstream.samples.dynamic.UnknownSymbolException

/**
 * Why a command cannot do its work, in words for its user; commands throw it.
 *
 * @property exit the program's exit code
 * @property status the name of the gRPC status, if it was one
 * @property details further lines: for people
 * @property json the same for machines: names and JSON texts
 */
internal open class Failure(
    override val message: String,
    val exit: Int = Exit.FAILURE,
    val status: Status.Code? = null,
    val details: List<String> = emptyList(),
    val json: Map<String, String> = emptyMap(),
    cause: Throwable? = null,
) : Exception(message, cause) {
    companion object {
        /** What the user wrote cannot be understood. */
        fun usage(
            message: String,
            cause: Throwable? = null,
        ): Failure = Failure(message, Exit.USAGE, cause = cause)

        /** What this is to a user. Null if nobody has foreseen it, so that its stack is of use. */
        fun of(failure: Throwable): Failure? =
            when (failure) {
                is Failure -> failure
                is StatusException -> of(failure.status)
                is StatusRuntimeException -> of(failure.status)
                is UnknownSymbolException -> usage(textOf(failure), failure)
                is SchemaException -> Failure(textOf(failure), cause = failure)
                is Libp2pException -> of(GrpcStream.statusOf(failure))
                is java.io.IOException -> Failure(textOf(failure), cause = failure)
                else -> null
            }

        /** A status that ends the program. */
        fun of(
            status: Status,
            hints: List<String> = emptyList(),
        ): Failure =
            Failure(
                status.description ?: status.cause?.let(::textOf) ?: "no message",
                Exit.of(status),
                status.code,
                details = hints,
                cause = status.cause,
            )

        /** Exceptions of files have but the file's name as their message. */
        fun textOf(failure: Throwable): String =
            when (failure) {
                is java.nio.file.NoSuchFileException -> "${failure.file}: there is no such file"
                is java.nio.file.AccessDeniedException -> "${failure.file}: permission denied"
                is java.nio.file.FileAlreadyExistsException -> "${failure.file}: exists already"
                else -> failure.message ?: failure.javaClass.name
            }
    }
}
