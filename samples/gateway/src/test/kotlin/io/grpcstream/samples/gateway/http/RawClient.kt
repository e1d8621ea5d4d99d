// Examples of HTTP and of JSON are lines as they are.
@file:Suppress("ktlint:standard:max-line-length")

package io.grpcstream.samples.gateway.http

import java.io.Closeable
import java.io.InputStream
import java.net.InetSocketAddress
import java.net.Socket
import java.net.SocketException
import java.net.SocketTimeoutException
import java.net.URI
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

/** A client that can do what clients of HTTP do not: be slow, go away, and send nonsense. */
internal class RawClient(
    uri: URI,
) : Closeable {
    private val socket =
        Socket().apply {
            receiveBufferSize = 64 * 1024
            soTimeout = 30_000
            connect(InetSocketAddress(uri.host, uri.port))
        }
    private val authority = uri.authority
    private val input: InputStream = socket.getInputStream()

    fun send(text: String) {
        socket.getOutputStream().write(text.toByteArray())
        socket.getOutputStream().flush()
    }

    fun post(
        path: String,
        body: String,
    ) = send(
        "POST $path HTTP/1.1\r\nhost: $authority\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n$body",
    )

    /** Null at the end. */
    fun readLine(): String? {
        val line = StringBuilder()
        while (true) {
            val char = input.read()
            if (char < 0) return line.toString().ifEmpty { null }
            if (char == '\n'.code) return line.toString().trimEnd('\r')
            line.append(char.toChar())
        }
    }

    fun read(bytes: Int) {
        input.readNBytes(bytes)
    }

    /** Whether the gateway has closed, or does so soon. */
    fun hasEnded(patience: Duration = 20.milliseconds): Boolean {
        socket.soTimeout = patience.inWholeMilliseconds.toInt()
        return try {
            input.read() < 0
        } catch (_: SocketTimeoutException) {
            false
        } catch (_: SocketException) {
            true
        }
    }

    override fun close() = socket.close()
}
