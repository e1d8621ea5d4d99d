package io.grpcstream.samples.gateway.http

import io.grpc.Metadata

/** What becomes of a call's response, in the form that the client speaks. One call each, in this order. */
internal interface Answer {
    /** The headers came; left out if there are none before the end. */
    suspend fun begin(headers: Metadata)

    /** A message came. */
    suspend fun message(message: ByteArray)

    /** The call has ended. */
    suspend fun end(ending: Ending)
}
