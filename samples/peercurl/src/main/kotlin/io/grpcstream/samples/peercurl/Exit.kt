package io.grpcstream.samples.peercurl

import io.grpc.Status

/** The program's exit codes, which scripts rely on. */
internal object Exit {
    const val OK = 0

    /** It was not a gRPC status that went wrong: a ping without answers, a file that cannot be read. */
    const val FAILURE = 1

    /** The command line, or what it names, such as a method or a request's JSON, cannot be understood. */
    const val USAGE = 2

    /** Ctrl-C, as shells have it: 128 and the signal's number. */
    const val INTERRUPTED = 130

    /** Nobody reads what is printed any more, as in `peercurl … | head`. */
    const val OUTPUT_CLOSED = 141

    private const val FIRST_STATUS = 64

    /** 64 and the code of the status, as grpcurl has it; 0 for OK. */
    fun of(status: Status): Int = if (status.isOk) OK else FIRST_STATUS + status.code.value()
}
