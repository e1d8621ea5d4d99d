package io.grpcstream.samples.gateway.http

import com.linecorp.armeria.common.HttpData
import com.linecorp.armeria.common.HttpObject
import com.linecorp.armeria.common.HttpResponseWriter
import com.linecorp.armeria.common.ResponseHeaders
import kotlinx.coroutines.future.await
import kotlinx.coroutines.withTimeoutOrNull
import java.io.IOException
import kotlin.time.Duration

/**
 * An HTTP response as it is written: each part is waited for until the client's connection has taken
 * it, so that a client that reads slowly holds up whoever writes, and no part is kept beside that one.
 *
 * @param patience how long a client may take for one part
 */
internal class ResponseStream(
    private val writer: HttpResponseWriter,
    private val patience: Duration,
) {
    suspend fun write(headers: ResponseHeaders): Unit = write(headers as HttpObject)

    suspend fun write(bytes: ByteArray): Unit = write(HttpData.wrap(bytes))

    suspend fun write(text: String): Unit = write(text.toByteArray())

    /** All of a response at once. */
    suspend fun write(
        headers: ResponseHeaders,
        body: ByteArray,
    ) {
        write(headers.toBuilder().contentLength(body.size.toLong()).build())
        if (body.isNotEmpty()) write(body)
    }

    private suspend fun write(part: HttpObject) {
        if (!writer.tryWrite(part)) throw ClientGone("the client has gone")
        withTimeoutOrNull(patience) {
            writer.whenConsumed().await()
            true
        } ?: throw ClientGone("the client has read nothing for $patience")
    }
}

/** Nobody reads the response any more. */
internal class ClientGone(
    message: String,
) : IOException(message)
