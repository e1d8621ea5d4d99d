package io.grpcstream.samples.gateway.http

import io.grpc.Status
import java.io.ByteArrayOutputStream
import java.nio.ByteBuffer
import java.util.Base64

/**
 * The frames of gRPC-Web: those of gRPC over HTTP/2 (a byte of flags, the length in four, the message),
 * with the trailers as a last one, since browsers show no trailers of HTTP. In the text form all of it
 * is in Base64. See `PROTOCOL-WEB.md` of gRPC.
 */
internal object GrpcWebFrames {
    private const val HEADER = 5
    private const val COMPRESSED = 0x01
    private const val TRAILERS = 0x80

    /** The messages of a request, at most [most]. */
    fun messages(
        body: ByteArray,
        most: Int,
    ): List<ByteArray> {
        val bytes = ByteBuffer.wrap(body)
        val messages = ArrayList<ByteArray>()
        while (bytes.hasRemaining()) {
            if (bytes.remaining() < HEADER) throw malformed("a frame ends within its header")
            val flags = bytes.get().toInt() and 0xff
            val length = bytes.getInt().toLong() and 0xffff_ffff
            if (flags and COMPRESSED != 0) {
                throw refusal(Status.Code.UNIMPLEMENTED, "the gateway takes no compressed messages")
            }
            if (flags != 0) throw malformed("a frame has the flags $flags, a request's have none")
            if (length > bytes.remaining()) {
                throw malformed(
                    "a frame of gRPC-Web announces $length bytes, ${bytes.remaining()} follow",
                )
            }
            if (messages.size == most) {
                throw malformed("the body has more than $most requests, the gateway's limit")
            }
            messages += ByteArray(length.toInt()).also(bytes::get)
        }
        return messages
    }

    /** A message of a response. */
    fun message(message: ByteArray): ByteArray = frame(0, message)

    /** The end of a response. */
    fun trailers(ending: Ending): ByteArray {
        val text =
            buildString {
                append("grpc-status: ${ending.status.code.value()}\r\n")
                ending.status.description?.let { append("grpc-message: ${percentEncoded(it)}\r\n") }
                ending.trailers.texts().forEach { (name, value) -> append("$name: $value\r\n") }
            }
        return frame(TRAILERS, text.toByteArray(Charsets.ISO_8859_1))
    }

    private fun frame(
        flags: Int,
        content: ByteArray,
    ) = ByteBuffer
        .allocate(HEADER + content.size)
        .put(flags.toByte())
        .putInt(content.size)
        .put(content)
        .array()

    /** What is text of [body], which may be several pieces of Base64, each with its own padding. */
    fun decodeText(body: ByteArray): ByteArray {
        val decoded = ByteArrayOutputStream(body.size / 4 * 3)
        var start = 0
        try {
            while (start < body.size) {
                var end = start
                while (end < body.size && body[end] != '='.code.toByte()) end++
                while (end < body.size && body[end] == '='.code.toByte()) end++
                decoded.write(Base64.getDecoder().decode(body.copyOfRange(start, end)))
                start = end
            }
        } catch (e: IllegalArgumentException) {
            throw malformed("the body is no Base64: ${e.message}", e)
        }
        return decoded.toByteArray()
    }

    fun encodeText(bytes: ByteArray): ByteArray = Base64.getEncoder().encode(bytes)

    /** As gRPC has messages of statuses in headers. */
    fun percentEncoded(text: String): String =
        buildString {
            for (byte in text.toByteArray()) {
                val char = byte.toInt() and 0xff
                val isPlain = char in 0x20..0x7e && char != '%'.code
                if (isPlain) append(char.toChar()) else append("%%%02X".format(char))
            }
        }
}
